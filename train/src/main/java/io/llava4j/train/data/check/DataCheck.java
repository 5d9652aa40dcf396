package io.llava4j.train.data.check;

import io.llava4j.DataException;
import io.llava4j.image.RgbImage;
import io.llava4j.io.Progress;
import io.llava4j.io.Quote;
import io.llava4j.text.Prompt;
import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.SamplePrompts;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.format.Images;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Checks every record and every image of a data set before training (docs/reference/data.md#checks). */
public final class DataCheck {
    /** Turn markers of the templates; an answer that contains one can train a model to write both sides. */
    private static final List<String> MARKERS =
            List.of("</s>", "<s>", " ASSISTANT:", "USER: ", "\nASSISTANT:", "\nUSER:", "### Human:", "### Assistant:");

    private final LlavaData data;
    private final Images images;
    private final int threads;
    private final Progress progress;
    private final List<Finding> findings = new ArrayList<>();
    private final Map<String, ImageViews.Count> counts = new ConcurrentHashMap<>();

    private DataCheck(LlavaData data, Images images, int threads, Progress progress) {
        this.data = data;
        this.images = images;
        this.threads = threads;
        this.progress = progress;
    }

    /**
     * The result of a check.
     *
     * @param records number of records in the file, malformed ones included
     * @param joined number of rows that were joined to the record of an earlier one
     * @param textOnly number of records without an image
     * @param images number of different images
     * @param leadingAnswersDropped number of conversations that began with an answer, which was dropped
     * @param systemPrompts number of records with a system prompt of their own
     * @param sources usable records by source, see {@link Sources}
     * @param lengthsChecked whether the length of sequences was checked
     * @param evaluationImages number of evaluation images compared with
     * @param findings in the file's order
     * @param imageTokens of the images of a record
     */
    public record Result(
            int records,
            int joined,
            int textOnly,
            int images,
            int leadingAnswersDropped,
            int systemPrompts,
            SequencedMap<String, Integer> sources,
            boolean lengthsChecked,
            int evaluationImages,
            List<Finding> findings,
            Function<LlavaRecord, int[]> imageTokens) {
        /** Number of findings of each kind that was found. */
        public Map<Finding.Kind, Long> counts() {
            Map<Finding.Kind, Long> counts = new TreeMap<>();
            findings.forEach(finding -> counts.merge(finding.kind(), 1L, Long::sum));
            return counts;
        }

        /** Whether a finding is an error. */
        public boolean hasErrors() {
            return findings.stream().anyMatch(finding -> finding.kind().isError());
        }
    }

    /**
     * Checks a data set.
     *
     * @param data the records
     * @param images of the records; each is decoded once
     * @param prompts makes the sequences whose length is checked; null to skip that
     * @param seen how the model sees the images
     * @param evaluation images that must not be in the data; null to skip that
     * @param threads number of threads that decode
     * @param progress called with the number of images checked
     * @throws DataException if interrupted
     */
    public static Result run(
            LlavaData data,
            Images images,
            @Nullable SamplePrompts prompts,
            ImageViews seen,
            @Nullable EvaluationImages evaluation,
            int threads,
            Progress progress) {
        return new DataCheck(data, images, threads, progress).run(prompts, seen, evaluation);
    }

    private Result run(@Nullable SamplePrompts prompts, ImageViews seen, @Nullable EvaluationImages evaluation) {
        for (SkippedRecord skipped : data.skipped()) {
            findings.add(new Finding(Finding.Kind.MALFORMED, skipped));
        }
        data.repeated().forEach(row -> findings.add(new Finding(Finding.Kind.DUPLICATE, row)));
        int different = images(evaluation, seen);
        duplicates();
        markers();
        shownImages();
        if (prompts != null) {
            lengths(prompts, seen);
        }
        findings.sort(
                Comparator.comparingInt((Finding finding) -> finding.record().index())
                        .thenComparing(Finding::kind));
        return new Result(
                data.records().size() + data.skipped().size(),
                data.joined() + data.repeated().size(),
                (int) data.records().stream().filter(r -> r.images().isEmpty()).count(),
                different,
                data.leadingAnswersDropped(),
                data.systemPrompts(),
                Sources.count(data.records()),
                prompts != null,
                evaluation == null ? 0 : evaluation.size(),
                List.copyOf(findings),
                record -> seen.tokens(record, counts));
    }

    private int images(@Nullable EvaluationImages evaluation, ImageViews seen) {
        List<String> different = data.records().stream()
                .flatMap(record -> record.images().stream())
                .distinct()
                .toList();
        Map<String, Image> checked = new ConcurrentHashMap<>();
        Workers.each(different, threads, image -> checked.put(image, check(image, evaluation, seen)), progress);
        for (int i = 0; i < data.records().size(); i++) {
            for (String name : data.records().get(i).images()) {
                Image image = checked.get(name);
                if (image != null && image.kind() != null) {
                    add(i, image.kind(), image.reason());
                }
            }
        }
        return different.size();
    }

    private record Image(Finding.@Nullable Kind kind, String reason) {
        static final Image FINE = new Image(null, "");
    }

    private Image check(String image, @Nullable EvaluationImages evaluation, ImageViews seen) {
        RgbImage pixels;
        try {
            pixels = images.decode(image);
            counts.put(image, seen.count(image, images, pixels));
        } catch (DataException e) {
            return new Image(Finding.Kind.BAD_IMAGE, String.valueOf(e.getMessage()));
        }
        if (evaluation == null) {
            return Image.FINE;
        }
        PerceptualHash hash = PerceptualHash.of(pixels);
        Optional<String> like = evaluation.like(hash);
        if (like.isPresent()) {
            return new Image(
                    Finding.Kind.LEAK,
                    "image %s looks like the evaluation image %s; leave the record out"
                            .formatted(Quote.of(image), like.get()));
        }
        Optional<String> named = evaluation.named(image, hash);
        if (named.isPresent()) {
            return new Image(
                    Finding.Kind.LEAK_BY_NAME,
                    "image %s has the name of the evaluation image %s; compare them or leave the record out"
                            .formatted(Quote.of(image), named.get()));
        }
        return Image.FINE;
    }

    private void duplicates() {
        record Content(List<String> images, String system, List<Turn> turns) {}
        Map<Content, Integer> first = new HashMap<>();
        for (int i = 0; i < data.records().size(); i++) {
            LlavaRecord record = data.records().get(i);
            Integer earlier = first.putIfAbsent(new Content(record.images(), record.system(), record.turns()), i);
            if (earlier != null) {
                add(
                        i,
                        Finding.Kind.DUPLICATE,
                        "it says the same about the same image as record %d; keep one unless you mean it"
                                .formatted(data.indices()[earlier]));
            }
        }
    }

    private void markers() {
        for (int i = 0; i < data.records().size(); i++) {
            LlavaRecord record = data.records().get(i);
            List<String> texts = Stream.concat(
                            Stream.of(record.system()), record.turns().stream().map(Turn::text))
                    .toList();
            for (String text : texts) {
                Optional<String> marker =
                        MARKERS.stream().filter(text::contains).findFirst();
                if (marker.isPresent()) {
                    add(
                            i,
                            Finding.Kind.TEMPLATE_MARKER,
                            "a turn contains '%s', which separates turns in the template; reword it"
                                    .formatted(marker.get().strip()));
                    break;
                }
            }
        }
    }

    private void shownImages() {
        for (int i = 0; i < data.records().size(); i++) {
            if (data.records().get(i).showsImageThatItDoesNotHave()) {
                add(
                        i,
                        Finding.Kind.SHOWS_IMAGE,
                        "a question shows an image in Markdown or HTML, which is read as text; name it under 'image'");
            }
        }
    }

    private void lengths(SamplePrompts prompts, ImageViews seen) {
        Map<Integer, Finding> found = new ConcurrentHashMap<>();
        List<Integer> indices =
                IntStream.range(0, data.records().size()).boxed().toList();
        Workers.each(
                indices,
                threads,
                i -> length(i, prompts, seen).ifPresent(finding -> found.put(i, finding)),
                (d, t) -> {});
        findings.addAll(found.values());
    }

    private Optional<Finding> length(int i, SamplePrompts prompts, ImageViews seen) {
        try {
            int[] imageTokens = seen.tokens(data.records().get(i), counts);
            Prompt whole = prompts.whole(data.records().get(i));
            int length = prompts.sequenceLength(whole, imageTokens);
            prompts.requireAnswer(prompts.of(data.records().get(i)), imageTokens);
            return length <= prompts.maxLength()
                    ? Optional.empty()
                    : Optional.of(finding(
                            i,
                            Finding.Kind.TOO_LONG,
                            "it has %,d tokens, image tokens included, and loses the last %,d; shorten or split it"
                                    .formatted(length, length - prompts.maxLength())));
        } catch (DataException e) {
            return Optional.of(finding(i, Finding.Kind.NOTHING_SUPERVISED, String.valueOf(e.getMessage())));
        }
    }

    private void add(int position, Finding.Kind kind, String reason) {
        findings.add(finding(position, kind, reason));
    }

    private Finding finding(int position, Finding.Kind kind, String reason) {
        return new Finding(kind, data.skip(position, reason));
    }
}
