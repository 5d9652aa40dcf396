package io.llava4j.train.run;

import io.llava4j.CheckpointException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.train.run.input.RunInputs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a run needs to resume exactly: the trainable parameters, AdamW's moments and the step. */
public final class TrainState {
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
            return all().stream().filter(StateFiles::isComplete).reduce((older, newer) -> newer);
        }

        @Override
        public void save(RunProgress progress, TrainableParameters parameters, AdamW optimizer) {
            saveBeside(progress, parameters, optimizer);
            deleteOld(parameters.group());
        }

        /** Deletes the oldest states beyond the number to keep. */
        void deleteOld(ProcessGroup group) {
            group.onFirst(() -> {
                List<Path> states = all();
                for (Path old : states.subList(0, Math.max(0, states.size() - keepLast))) {
                    delete(old);
                }
                return "";
            });
        }

        @Override
        public void saveBeside(RunProgress progress, TrainableParameters parameters, AdamW optimizer) {
            PendingState state = begin(progress, parameters, optimizer);
            if (state != null) {
                state.complete(CompletableFuture.runAsync(state::write, Runnable::run));
            }
        }

        /** Copies a state, which is yet to be written; null if it is there already. */
        @Nullable
        PendingState begin(RunProgress progress, TrainableParameters parameters, AdamW optimizer) {
            Path folder = directory.resolve(RunProgress.folder(progress.step()));
            ProcessGroup group = parameters.group();
            String partial = group.onFirst(() -> StateFiles.isComplete(folder)
                    ? ""
                    : group.size() == 1
                            ? folder.toString()
                            : AtomicFiles.beginDirectory(folder).toString());
            if (partial.isEmpty()) {
                return null;
            }
            Map<String, String> metadata = new LinkedHashMap<>(progress.toMetadata());
            metadata.put(FINGERPRINT, fingerprint);
            metadata.put(INPUTS, inputs.toJson());
            return new PendingState(folder, Path.of(partial), group, StateFiles.copy(parameters, optimizer, metadata));
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
            return StateFiles.metadata(folder);
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
            StateFiles.read(newest.get(), parameters, optimizer);
            RunProgress progress = RunProgress.ofMetadata(metadata(newest.get()));
            optimizer.resumeAt(progress.step());
            // Losses with other settings or data cannot be compared.
            return hasSameSettings() && changedInputs().isEmpty()
                    ? progress
                    : progress.with(RunProgress.Evaluations.NONE);
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

        private static void delete(Path folder) {
            try {
                for (Path file : StateFiles.in(folder)) {
                    Files.deleteIfExists(file);
                }
                Files.deleteIfExists(folder);
            } catch (IOException e) {
                throw new CheckpointException("the old checkpoint " + folder + " cannot be deleted", e);
            }
        }
    }
}
