package io.llava4j.train.run;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.io.AtomicFiles;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.train.run.input.RunInputs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** What a run needs to resume exactly: the trainable parameters, AdamW's moments and the step. */
public final class TrainState {
    private static final String FILE = "state.safetensors";
    private static final String FIRST_MOMENT = "optimizer.first_moment";
    private static final String SECOND_MOMENT = "optimizer.second_moment";
    private static final String FINGERPRINT = "fingerprint";
    private static final String INPUTS = "inputs";
    private static final Pattern FOLDER = Pattern.compile("step-(\\d{6,9})");

    private TrainState() {}

    /**
     * The folder {@code checkpoints/} of a run.
     *
     * @param directory holds {@code step-000500/} and the like
     * @param keepLast older states beyond this number are deleted
     * @param fingerprint of the settings that decide the run's course
     * @param inputs what the run reads besides its recipe
     */
    public record Store(Path directory, int keepLast, String fingerprint, RunInputs inputs) implements Checkpoints {
        /** The same folder, for a run whose inputs are known by now. */
        Store with(RunInputs known) {
            return new Store(directory, keepLast, fingerprint, known);
        }

        /** The newest complete state. */
        public Optional<Path> latest() {
            return all().stream()
                    .filter(folder -> Files.exists(folder.resolve(FILE)))
                    .reduce((older, newer) -> newer);
        }

        @Override
        public void save(RunProgress progress, TrainableParameters parameters, AdamW optimizer) {
            saveBeside(progress, parameters, optimizer);
            List<Path> states = all();
            for (Path old : states.subList(0, Math.max(0, states.size() - keepLast))) {
                delete(old);
            }
        }

        @Override
        public void saveBeside(RunProgress progress, TrainableParameters parameters, AdamW optimizer) {
            List<TensorSource> tensors = new ArrayList<>();
            Engine.scope("saving the training state", () -> {
                parameters.views().forEach((name, tensor) -> tensors.add(source(name, tensor)));
                tensors.add(source(FIRST_MOMENT, optimizer.firstMoment()));
                tensors.add(source(SECOND_MOMENT, optimizer.secondMoment()));
                return null;
            });
            Path folder = directory.resolve(RunProgress.folder(progress.step()));
            if (!Files.exists(folder.resolve(FILE))) {
                Map<String, String> metadata = new LinkedHashMap<>(progress.toMetadata());
                metadata.put(FINGERPRINT, fingerprint);
                metadata.put(INPUTS, inputs.toJson());
                AtomicFiles.writeDirectory(
                        folder, partial -> SafeTensorsWriter.write(partial.resolve(FILE), tensors, metadata));
            }
        }

        @Override
        public void saveBest(int step, Objective objective) {
            Path folder = bestOf(step);
            AtomicFiles.deleteDirectory(folder);
            Engine.scope("saving the best model", () -> {
                objective.save(folder);
                return null;
            });
            for (Path other : foldersIn(best())) {
                if (!other.equals(folder)) {
                    AtomicFiles.deleteDirectory(other);
                }
            }
        }

        /** Folder of the models of {@link #saveBest}, beside the states. */
        Path best() {
            return directory.resolveSibling("best");
        }

        /** The model of {@link #saveBest} of a step. */
        Path bestOf(int step) {
            return best().resolve(RunProgress.folder(step));
        }

        /** Whether the newest state, if there is one, was written with these settings. */
        boolean hasSameSettings() {
            return latest().map(newest -> fingerprint.equals(metadata(newest).get(FINGERPRINT)))
                    .orElse(true);
        }

        /** What the run reads now that is not as it was when the newest state was written. */
        List<String> changedInputs() {
            return latest().map(newest -> metadata(newest).get(INPUTS))
                    .map(then -> inputs.changesSince(RunInputs.ofJson(then)))
                    .orElse(List.of());
        }

        private static Map<String, String> metadata(Path folder) {
            try (SafeTensors state = SafeTensors.open(folder.resolve(FILE))) {
                return state.metadata();
            }
        }

        /**
         * Restores the newest state.
         *
         * @return how far the run is; {@link RunProgress#START} if there is no state
         * @throws CheckpointException if it is of another model or cannot be read
         */
        @Override
        public RunProgress restoreLatest(TrainableParameters parameters, AdamW optimizer) {
            Optional<Path> newest = latest();
            if (newest.isEmpty()) {
                return RunProgress.START;
            }
            Path file = newest.get().resolve(FILE);
            try (SafeTensors state = SafeTensors.open(file)) {
                Engine.scope("restoring the training state", () -> {
                    try (NoGradGuard guard = new NoGradGuard()) {
                        parameters.views().forEach((name, tensor) -> restore(state, file, name, tensor));
                        restore(state, file, FIRST_MOMENT, optimizer.firstMoment());
                        restore(state, file, SECOND_MOMENT, optimizer.secondMoment());
                        parameters.valuesChanged();
                    }
                    return null;
                });
                RunProgress progress = RunProgress.ofMetadata(state.metadata());
                optimizer.resumeAt(progress.step());
                // Losses with other settings or data cannot be compared.
                return hasSameSettings() && changedInputs().isEmpty()
                        ? progress
                        : progress.with(RunProgress.Evaluations.NONE);
            }
        }

        /** Deletes every state. */
        public void clear() {
            all().forEach(Store::delete);
        }

        /** Folders of states, oldest first. A folder appears when it is complete; a killed deletion leaves it empty. */
        private List<Path> all() {
            return foldersIn(directory);
        }

        private static List<Path> foldersIn(Path directory) {
            if (!Files.isDirectory(directory)) {
                return List.of();
            }
            try (Stream<Path> files = Files.list(directory)) {
                return files.filter(path ->
                                FOLDER.matcher(path.getFileName().toString()).matches())
                        .sorted(Comparator.comparingInt(Store::stepOf))
                        .toList();
            } catch (IOException e) {
                throw new CheckpointException("the folder " + directory + " cannot be read; check its permissions", e);
            }
        }

        /** By number: beyond a million steps names no longer sort by age. */
        private static int stepOf(Path folder) {
            return Integer.parseInt(folder.getFileName().toString().substring("step-".length()));
        }

        private static TensorSource source(String name, Tensor tensor) {
            return TensorSource.of(name, Tensors.toFloats(tensor), Tensors.shape(tensor));
        }

        private static void restore(SafeTensors state, Path file, String name, Tensor into) {
            TensorEntry entry = state.tensors().get(name);
            if (entry == null || entry.elements() != into.numel()) {
                throw new CheckpointException(
                        file + " has no tensor " + name + " of the expected size; the checkpoint belongs"
                                + " to another model, so start again without --resume");
            }
            into.copy_(Tensors.of(entry.toFloats(), Tensors.shape(into)));
        }

        private static void delete(Path folder) {
            try {
                Files.deleteIfExists(folder.resolve(FILE));
                Files.deleteIfExists(folder);
            } catch (IOException e) {
                throw new CheckpointException("the old checkpoint " + folder + " cannot be deleted", e);
            }
        }
    }
}
