package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import io.llava4j.image.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The images of a job's questions, and what happens to those that are missing or cannot be read. */
final class JobImages {
    private final EvalRunner.Job job;
    private final Function<Path, RgbImage> decoder;
    private final ImageLedger ledger;
    private final Map<String, Path> files = new LinkedHashMap<>();
    private final Map<String, String> problems = new HashMap<>();

    /**
     * Locates all images.
     *
     * @throws DataException for a name that leads out of the folder; for a missing image unless the job's policy goes on;
     *     and if no image is there
     */
    JobImages(EvalRunner.Job job, Function<Path, RgbImage> decoder, ImageLedger ledger) {
        this.job = job;
        this.decoder = decoder;
        this.ledger = ledger;
        ImageRoot root = new ImageRoot(job.imageRoot());
        for (Question question : job.questions()) {
            for (String image : question.images()) {
                if (files.containsKey(image)) {
                    continue;
                }
                String where = "question " + question.id();
                Path file = root.resolve(image, where);
                files.put(image, file);
                if (!Files.isRegularFile(file)) {
                    problems.put(image, "%s: image '%s' is not in %s".formatted(where, image, job.imageRoot()));
                }
            }
        }
        if (!problems.isEmpty() && job.missingImages() == MissingImagePolicy.FAIL) {
            String first = files.keySet().stream()
                    .filter(problems::containsKey)
                    .findFirst()
                    .map(problems::get)
                    .orElse("");
            throw refused(
                    problems.size() == 1 ? first : "%s, nor are %d others".formatted(first, problems.size() - 1), null);
        }
        refuseIfAllAreUnusable();
    }

    private DataException refused(String problem, @Nullable DataException cause) {
        String advice = job.missingImageAdvice();
        String message = "%s; %sgo on without it by --missing-image-policy skip or blank"
                .formatted(problem, advice.isEmpty() ? "or " : advice + ", or ");
        return cause == null ? new DataException(message) : new DataException(message, cause);
    }

    private void refuseIfAllAreUnusable() {
        if (!problems.isEmpty() && problems.size() == files.size()) {
            throw new DataException("none of the %d images can be used (%s); a score would say nothing of the model"
                    .formatted(
                            files.size(), problems.get(files.keySet().iterator().next())));
        }
    }

    /** Images whose recorded state is not today's, so that answers about them are stale. */
    Set<String> changed() {
        Set<String> changed = new LinkedHashSet<>();
        files.forEach((image, file) -> {
            ImageLedger.Entry entry = ledger.entry(image);
            if (entry != null
                    && (!entry.sha256().equals(ImageLedger.sha256(file))
                            || (!entry.problem().isEmpty()
                                    && !entry.policy()
                                            .equals(job.missingImages().label())))) {
                changed.add(image);
            } else if (entry != null && !entry.problem().isEmpty()) {
                problems.put(image, entry.problem());
            }
        });
        return changed;
    }

    /** Whether a question is left without an answer. Known after {@link #decode}. */
    boolean skipped(Question question) {
        return job.missingImages() == MissingImagePolicy.SKIP
                && question.images().stream().anyMatch(problems::containsKey);
    }

    /**
     * Decodes the images of a batch.
     *
     * @return fewer than all questions of the batch where an image fails and the policy ends the run
     */
    Decoded decode(List<Question> batch) {
        Map<String, RgbImage> decoded = new HashMap<>();
        for (int i = 0; i < batch.size(); i++) {
            for (String image : batch.get(i).images()) {
                if (decoded.containsKey(image)
                        || (problems.containsKey(image) && job.missingImages() == MissingImagePolicy.SKIP)) {
                    continue;
                }
                try {
                    RgbImage pixels = problems.containsKey(image) ? BlankImage.STANDARD : decoder.apply(file(image));
                    decoded.put(image, job.blind() ? BlankImage.like(pixels) : pixels);
                } catch (DataException e) {
                    String problem = "question %s: %s".formatted(batch.get(i).id(), e.getMessage());
                    if (job.missingImages() == MissingImagePolicy.FAIL) {
                        return new Decoded(decoded, i, refused(problem, e));
                    }
                    problems.put(image, problem);
                    refuseIfAllAreUnusable();
                    if (job.missingImages() == MissingImagePolicy.BLANK) {
                        decoded.put(image, BlankImage.STANDARD);
                    }
                }
            }
        }
        return new Decoded(decoded, batch.size(), null);
    }

    /**
     * The images of a batch.
     *
     * @param pixels by name; without those that are skipped
     * @param usable number of questions from the start whose images are there
     * @param failure why the run ends after these; null if it goes on
     */
    record Decoded(
            Map<String, RgbImage> pixels,
            int usable,
            @Nullable DataException failure) {}

    /** Notes the images of answered questions. */
    void record(List<Question> answered) {
        for (Question question : answered) {
            for (String image : question.images()) {
                if (ledger.entry(image) != null) {
                    continue;
                }
                String problem = problems.get(image);
                String sha256 = ImageLedger.sha256(file(image));
                ledger.add(
                        image,
                        problem == null
                                ? ImageLedger.Entry.usable(sha256)
                                : new ImageLedger.Entry(
                                        sha256, problem, job.missingImages().label()));
            }
        }
    }

    private Path file(String image) {
        Path file = files.get(image);
        if (file == null) {
            throw new IllegalStateException(image + " is not an image of the job");
        }
        return file;
    }
}
