package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.train.data.format.Pictures;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Looks at every picture of a data set before training does. */
public final class DataCheck {
    private DataCheck() {}

    /**
     * What was found.
     *
     * @param pictures different pictures named by the records
     * @param problems records whose picture is missing, damaged or outside the folder, in the file's order
     */
    public record Result(int pictures, List<SkippedRecord> problems) {}

    /** Told about progress, from the calling thread. */
    @FunctionalInterface
    public interface Progress {
        /**
         * @param done pictures looked at
         * @param total of all
         */
        void update(int done, int total);
    }

    /**
     * Decodes every picture once.
     *
     * @param data the records
     * @param folder of the pictures
     * @param threads how many decode
     * @param progress told how far it is
     * @throws DataException if interrupted
     */
    public static Result pictures(LlavaData data, Pictures pictures, int threads, Progress progress) {
        Map<String, Future<Optional<String>>> looked = new LinkedHashMap<>();
        Map<String, Optional<String>> complaints = new LinkedHashMap<>();
        // Platform threads: decoding is computing, not waiting.
        try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
            for (LlavaRecord record : data.records()) {
                String image = record.image();
                if (image != null) {
                    looked.computeIfAbsent(image, name -> workers.submit(() -> complaint(pictures, name)));
                }
            }
            try {
                for (Map.Entry<String, Future<Optional<String>>> picture : looked.entrySet()) {
                    complaints.put(picture.getKey(), picture.getValue().get());
                    progress.update(complaints.size(), looked.size());
                }
            } catch (InterruptedException e) {
                workers.shutdownNow();
                Thread.currentThread().interrupt();
                throw new DataException("checking the pictures was interrupted; run it again", e);
            } catch (ExecutionException e) {
                workers.shutdownNow();
                throw new IllegalStateException(e.getCause());
            }
        }
        List<SkippedRecord> problems = new ArrayList<>();
        for (int i = 0; i < data.records().size(); i++) {
            int position = i;
            String image = data.records().get(i).image();
            if (image != null) {
                complaints
                        .getOrDefault(image, Optional.empty())
                        .ifPresent(reason -> problems.add(data.skip(position, reason)));
            }
        }
        return new Result(looked.size(), problems);
    }

    private static Optional<String> complaint(Pictures pictures, String image) {
        try {
            pictures.decode(image);
            return Optional.empty();
        } catch (DataException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }
}
