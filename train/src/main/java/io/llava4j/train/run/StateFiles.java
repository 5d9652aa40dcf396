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
import io.llava4j.tensor.format.DType;
import io.llava4j.train.run.shard.ParameterLayout;
import io.llava4j.train.run.shard.ParameterShare;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.databind.json.JsonMapper;

/**
 * The files of one state: {@code state.safetensors} of one process, or a part of each of several, named as
 * {@code state-00001-of-00004.safetensors}. A part has elements of parameters and moments, by their place in the
 * {@link ParameterLayout}, so that any number of processes with any sharding reads what any other has written.
 */
final class StateFiles {
    static final String SINGLE = "state.safetensors";

    private static final Pattern PART = Pattern.compile("state-(\\d{5})-of-(\\d{5})\\.safetensors");
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String VALUES = "values";
    private static final String FIRST_MOMENT = "optimizer.first_moment";
    private static final String SECOND_MOMENT = "optimizer.second_moment";
    /** Of the only piece of a part; files of earlier versions have it instead of {@link #PIECES}. */
    private static final String OFFSET = "offset";

    private static final String PIECES = "pieces";
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

    /**
     * A state in the host's memory, which training no longer changes.
     *
     * @param file its name
     */
    record Copy(String file, List<TensorSource> tensors, Map<String, String> metadata, Arena memory)
            implements AutoCloseable {
        /** Writes the file to a folder; on any thread. */
        void write(Path folder) {
            SafeTensorsWriter.write(folder.resolve(file), tensors, metadata);
        }

        @Override
        public void close() {
            memory.close();
        }
    }

    /** Copies the state of one process, or this process's part of it. */
    @SuppressWarnings("MustBeClosedChecker") // the copy closes it
    static Copy copy(TrainableParameters parameters, AdamW optimizer, Map<String, String> metadata) {
        Arena memory = Arena.ofShared();
        try {
            return Engine.scope(
                    "copying the training state",
                    () -> parameters.group().size() == 1
                            ? copyAll(parameters, optimizer, metadata, memory)
                            : copyPart(parameters, optimizer, metadata, memory));
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    private static Copy copyAll(
            TrainableParameters parameters, AdamW optimizer, Map<String, String> metadata, Arena memory) {
        List<TensorSource> tensors = new ArrayList<>();
        parameters.views().forEach((name, tensor) -> tensors.add(source(name, tensor, memory)));
        tensors.add(source(FIRST_MOMENT, optimizer.firstMoment(), memory));
        tensors.add(source(SECOND_MOMENT, optimizer.secondMoment(), memory));
        return new Copy(SINGLE, tensors, metadata, memory);
    }

    private static Copy copyPart(
            TrainableParameters parameters, AdamW optimizer, Map<String, String> metadata, Arena memory) {
        Rank rank = parameters.group().rank();
        List<ParameterShare.Piece> pieces = parameters.written();
        List<TensorSource> tensors = new ArrayList<>();
        buffers(parameters, optimizer)
                .forEach((name, buffer) ->
                        tensors.add(source(name, ParameterShare.concatenated(pieces, buffer), memory)));
        Map<String, String> all = new LinkedHashMap<>(metadata);
        all.put(
                PIECES,
                JSON.writeValueAsString(pieces.stream()
                        .map(piece -> new long[] {piece.offset(), piece.length()})
                        .toList()));
        all.put(TENSORS, tensorsOf(parameters.layout()));
        String name = "state-%05d-of-%05d.safetensors".formatted(rank.rank() + 1, rank.worldSize());
        return new Copy(name, tensors, all, memory);
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
        String pieces = state.metadata().get(PIECES);
        if (offset != null || pieces != null) {
            if (!tensorsOf(layout).equals(state.metadata().get(TENSORS))) {
                throw new CheckpointException(
                        file + " has other tensors than the model; the checkpoint belongs to another model, so start"
                                + " again without --resume");
            }
            buffers(parameters, optimizer).forEach((name, buffer) -> {
                TensorEntry entry = entry(state, file, name, -1);
                long[][] own = pieces == null
                        ? new long[][] {{Long.parseLong(Objects.requireNonNull(offset)), entry.elements()}}
                        : JSON.readValue(pieces, long[][].class);
                copy(entry, own, share, buffer);
            });
            return;
        }
        layout.tensors()
                .forEach((name, place) -> copy(
                        entry(state, file, name, place.length()),
                        at(place.offset(), place.length()),
                        share,
                        parameters.values()));
        copy(entry(state, file, FIRST_MOMENT, layout.count()), at(0, layout.count()), share, optimizer.firstMoment());
        copy(entry(state, file, SECOND_MOMENT, layout.count()), at(0, layout.count()), share, optimizer.secondMoment());
    }

    private static long[][] at(long offset, long length) {
        return new long[][] {{offset, length}};
    }

    private static Map<String, Tensor> buffers(TrainableParameters parameters, AdamW optimizer) {
        Map<String, Tensor> buffers = new LinkedHashMap<>();
        buffers.put(VALUES, parameters.values());
        buffers.put(FIRST_MOMENT, optimizer.firstMoment());
        buffers.put(SECOND_MOMENT, optimizer.secondMoment());
        return buffers;
    }

    /** Copies the stored elements that are in a share. @param pieces offset and length of each piece of the tensor */
    private static void copy(TensorEntry entry, long[][] pieces, ParameterShare share, Tensor into) {
        if (Arrays.stream(pieces).noneMatch(piece -> share.overlaps(piece[0], piece[1]))) {
            return;
        }
        Tensor elements = Tensors.of(entry.toFloats(), entry.elements());
        long at = 0;
        for (long[] piece : pieces) {
            share.copy(elements.narrow(0, at, piece[1]), piece[0], into);
            at += piece[1];
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

    private static TensorSource source(String name, Tensor tensor, Arena memory) {
        Tensor host = tensor.detach().cpu().contiguous();
        MemorySegment copy = memory.allocate(host.numel() * Float.BYTES, Float.BYTES);
        if (host.numel() > 0) {
            copy.copyFrom(Tensors.memory(host));
        }
        return new TensorSource(name, DType.F32, Tensors.shape(tensor), () -> copy);
    }
}
