package io.llava4j.train.run;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.io.FileErrors;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.collective.Rank;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * The files of one state: {@code state.safetensors} of one process, or a part of each of several, named as
 * {@code state-00001-of-00004.safetensors}. A part has neighbouring elements of parameters and moments, by their place in
 * the {@link ParameterLayout}, so that any number of processes reads what any other has written.
 */
final class StateFiles {
    static final String SINGLE = "state.safetensors";

    private static final Pattern PART = Pattern.compile("state-(\\d{5})-of-(\\d{5})\\.safetensors");
    private static final String VALUES = "values";
    private static final String FIRST_MOMENT = "optimizer.first_moment";
    private static final String SECOND_MOMENT = "optimizer.second_moment";
    private static final String OFFSET = "offset";
    private static final String TENSORS = "tensors";

    private StateFiles() {}

    /** Whether a folder has a whole state; a killed deletion leaves some of its files. */
    static boolean isComplete(Path folder) {
        List<Path> files = in(folder);
        if (files.isEmpty()) {
            return false;
        }
        Matcher part = PART.matcher(files.getFirst().getFileName().toString());
        return !part.matches() || files.size() == Integer.parseInt(part.group(2));
    }

    /** The files of a state, in order; none where there is no state. */
    static List<Path> in(Path folder) {
        if (Files.exists(folder.resolve(SINGLE))) {
            return List.of(folder.resolve(SINGLE));
        }
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(
                            file -> PART.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw FileErrors.cannotRead(folder, e);
        }
    }

    /** Metadata that all files of a state have. */
    static Map<String, String> metadata(Path folder) {
        try (SafeTensors state = SafeTensors.open(in(folder).getFirst())) {
            return state.metadata();
        }
    }

    /** Writes the state of one process. */
    static void write(Path folder, TrainableParameters parameters, AdamW optimizer, Map<String, String> metadata) {
        List<TensorSource> tensors = new ArrayList<>();
        Engine.scope("saving the training state", () -> {
            parameters.views().forEach((name, tensor) -> tensors.add(source(name, tensor)));
            tensors.add(source(FIRST_MOMENT, optimizer.firstMoment()));
            tensors.add(source(SECOND_MOMENT, optimizer.secondMoment()));
            return null;
        });
        SafeTensorsWriter.write(folder.resolve(SINGLE), tensors, metadata);
    }

    /** Writes this process's part of the state. */
    static void writePart(Path folder, TrainableParameters parameters, AdamW optimizer, Map<String, String> metadata) {
        Rank rank = parameters.group().rank();
        ParameterLayout layout = parameters.layout();
        ParameterShare part = ParameterShare.of(rank, layout);
        long from = part.offset() - parameters.share().offset();
        long count = part.existing(layout);
        List<TensorSource> tensors = new ArrayList<>();
        Engine.scope("saving the training state", () -> {
            buffers(parameters, optimizer).forEach((name, buffer) -> {
                Tensor own = buffer.narrow(0, count == 0 ? 0 : from, count);
                tensors.add(source(name, own));
            });
            return null;
        });
        Map<String, String> all = new LinkedHashMap<>(metadata);
        all.put(OFFSET, Long.toString(part.offset()));
        all.put(TENSORS, tensorsOf(layout));
        String name = "state-%05d-of-%05d.safetensors".formatted(rank.rank() + 1, rank.worldSize());
        SafeTensorsWriter.write(folder.resolve(name), tensors, all);
    }

    /**
     * Reads what this process holds, from files of any number of processes.
     *
     * @throws CheckpointException if they are of another model or cannot be read
     */
    static void read(Path folder, TrainableParameters parameters, AdamW optimizer) {
        for (Path file : in(folder)) {
            try (SafeTensors state = SafeTensors.open(file)) {
                Engine.scope("restoring the training state", () -> {
                    try (NoGradGuard guard = new NoGradGuard()) {
                        read(state, file, parameters, optimizer);
                        return null;
                    }
                });
            }
        }
        Engine.scope("restoring the training state", () -> {
            parameters.valuesChanged();
            return null;
        });
    }

    private static void read(SafeTensors state, Path file, TrainableParameters parameters, AdamW optimizer) {
        ParameterLayout layout = parameters.layout();
        ParameterShare share = parameters.share();
        String offset = state.metadata().get(OFFSET);
        if (offset != null) {
            if (!tensorsOf(layout).equals(state.metadata().get(TENSORS))) {
                throw new CheckpointException(
                        file + " has other tensors than the model; the checkpoint belongs to another model, so start"
                                + " again without --resume");
            }
            buffers(parameters, optimizer)
                    .forEach((name, buffer) ->
                            copy(entry(state, file, name, -1), Long.parseLong(offset), share, buffer));
            return;
        }
        layout.tensors()
                .forEach((name, place) ->
                        copy(entry(state, file, name, place.length()), place.offset(), share, parameters.values()));
        copy(entry(state, file, FIRST_MOMENT, layout.count()), 0, share, optimizer.firstMoment());
        copy(entry(state, file, SECOND_MOMENT, layout.count()), 0, share, optimizer.secondMoment());
    }

    private static Map<String, Tensor> buffers(TrainableParameters parameters, AdamW optimizer) {
        Map<String, Tensor> buffers = new LinkedHashMap<>();
        buffers.put(VALUES, parameters.values());
        buffers.put(FIRST_MOMENT, optimizer.firstMoment());
        buffers.put(SECOND_MOMENT, optimizer.secondMoment());
        return buffers;
    }

    /** Copies the stored elements that are in a share. */
    private static void copy(TensorEntry entry, long offset, ParameterShare share, Tensor into) {
        ParameterLayout.Place place =
                new ParameterLayout.Place(offset, new long[] {entry.elements()}, entry.elements());
        if (entry.elements() > 0
                && offset < share.offset() + share.length()
                && offset + entry.elements() > share.offset()) {
            share.copy(Tensors.of(entry.toFloats(), entry.elements()), place, into);
        }
    }

    private static TensorEntry entry(SafeTensors state, Path file, String name, long elements) {
        TensorEntry entry = state.tensors().get(name);
        if (entry == null || (elements >= 0 && entry.elements() != elements)) {
            throw new CheckpointException(
                    file + " has no tensor " + name + " of the expected size; the checkpoint belongs"
                            + " to another model, so start again without --resume");
        }
        return entry;
    }

    /** The names and sizes of all tensors in one number. */
    private static String tensorsOf(ParameterLayout layout) {
        StringBuilder all = new StringBuilder();
        layout.tensors()
                .forEach((name, place) ->
                        all.append(name).append(' ').append(place.length()).append('\n'));
        return Integer.toHexString(all.toString().hashCode());
    }

    private static TensorSource source(String name, Tensor tensor) {
        return TensorSource.of(name, Tensors.toFloats(tensor), Tensors.shape(tensor));
    }
}
