package io.llava4j.train.data.check;

import io.llava4j.DataException;
import io.llava4j.image.RgbImage;
import io.llava4j.io.Progress;
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
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Looks at every record and every image of a data set before training does (docs/reference/data.md#checks). */
public final class DataCheck {
    /** What tells turns apart in the family's templates; an answer that holds it can teach a model to play both parts. */
    private static final List<String> MARKERS =
            List.of("</s>", "<s>", " ASSISTANT:", "USER: ", "\nASSISTANT:", "\nUSER:", "### Human:", "### Assistant:");

    private final LlavaData data;
    private final Images images;
    private final int threads;
    private final Progress progress;
    private final List<Finding> findings = new ArrayList<>();

    private DataCheck(LlavaData data, Images images, int threads, Progress progress) {
        this.data = data;
        this.images = images;
        this.threads = threads;
        this.progress = progress;
    }

    /**
     * What was found.
     *
     * @param records of the file, malformed ones included
     * @param joined rows of questions that make a record together with an earlier one
     * @param textOnly records without an image
     * @param images different images named by the records
     * @param leadingAnswersDropped conversations that began with an answer, which is dropped
     * @param sources usable records by source, see {@link Sources}
     * @param lengthsChecked whether the length of sequences was looked at
     * @param evaluationImages images compared with, by name
     * @param findings in the file's order
     */
    public record Result(
            int records,
            int joined,
            int textOnly,
            int images,
            int leadingAnswersDropped,
            SequencedMap<String, Integer> sources,
            boolean lengthsChecked,
            int evaluationImages,
            List<Finding> findings) {
        /** How often each kind was found, kinds without a finding left out. */
        public Map<Finding.Kind, Long> counts() {
            Map<Finding.Kind, Long> counts = new TreeMap<>();
            findings.forEach(finding -> counts.merge(finding.kind(), 1L, Long::sum));
            return counts;
        }

        /** Whether something was found that training should not meet. */
        public boolean hasErrors() {
            return findings.stream().anyMatch(finding -> finding.kind().isError());
        }
    }

    /**
     * Checks a data set.
     *
     * @param data the records
     * @param images of the records; every one is decoded once
     * @param prompts makes the sequences of which the length is checked; null to leave that out
     * @param evaluation images that must not be there; null to leave that out
     * @param threads how many decode
     * @param progress told how many images were looked at
     * @throws DataException if interrupted
     */
    public static Result run(
            LlavaData data,
            Images images,
            @Nullable SamplePrompts prompts,
            @Nullable EvaluationImages evaluation,
            int threads,
            Progress progress) {
        return new DataCheck(data, images, threads, progress).run(prompts, evaluation);
    }

    private Result run(@Nullable SamplePrompts prompts, @Nullable EvaluationImages evaluation) {
        for (SkippedRecord skipped : data.skipped()) {
            findings.add(new Finding(Finding.Kind.MALFORMED, skipped));
        }
        data.repeated().forEach(row -> findings.add(new Finding(Finding.Kind.DUPLICATE, row)));
        int different = images(evaluation);
        duplicates();
        markers();
        if (prompts != null) {
            lengths(prompts);
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
                Sources.count(data.records()),
                prompts != null,
                evaluation == null ? 0 : evaluation.size(),
                List.copyOf(findings));
    }

    private int images(@Nullable EvaluationImages evaluation) {
        List<String> different = data.records().stream()
                .flatMap(record -> record.images().stream())
                .distinct()
                .toList();
        Map<String, Image> looked = new ConcurrentHashMap<>();
        Workers.each(different, threads, image -> looked.put(image, look(image, evaluation)), progress);
        for (int i = 0; i < data.records().size(); i++) {
            for (String name : data.records().get(i).images()) {
                Image image = looked.get(name);
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

    private Image look(String image, @Nullable EvaluationImages evaluation) {
        RgbImage pixels;
        try {
            pixels = images.decode(image);
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
                    "image '%s' looks like the evaluation image %s; leave the record out".formatted(image, like.get()));
        }
        Optional<String> named = evaluation.named(image, hash);
        if (named.isPresent()) {
            return new Image(
                    Finding.Kind.LEAK_BY_NAME,
                    "image '%s' is called like the evaluation image %s; compare them or leave the record out"
                            .formatted(image, named.get()));
        }
        return Image.FINE;
    }

    private void duplicates() {
        record Content(List<String> images, List<Turn> turns) {}
        Map<Content, Integer> first = new HashMap<>();
        for (int i = 0; i < data.records().size(); i++) {
            LlavaRecord record = data.records().get(i);
            Integer earlier = first.putIfAbsent(new Content(record.images(), record.turns()), i);
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
            for (Turn turn : data.records().get(i).turns()) {
                Optional<String> marker =
                        MARKERS.stream().filter(turn.text()::contains).findFirst();
                if (marker.isPresent()) {
                    add(
                            i,
                            Finding.Kind.TEMPLATE_MARKER,
                            "a turn contains '%s', which marks a turn's border in the template; reword it"
                                    .formatted(marker.get().strip()));
                    break;
                }
            }
        }
    }

    private void lengths(SamplePrompts prompts) {
        Map<Integer, Finding> found = new ConcurrentHashMap<>();
        List<Integer> places = IntStream.range(0, data.records().size()).boxed().toList();
        Workers.each(
                places, threads, i -> length(i, prompts).ifPresent(finding -> found.put(i, finding)), (d, t) -> {});
        findings.addAll(found.values());
    }

    private Optional<Finding> length(int i, SamplePrompts prompts) {
        try {
            Prompt whole = prompts.whole(data.records().get(i));
            int length = prompts.sequenceLength(whole);
            prompts.of(data.records().get(i));
            return length <= prompts.maxLength()
                    ? Optional.empty()
                    : Optional.of(finding(
                            i,
                            Finding.Kind.TOO_LONG,
                            "it has %,d tokens, image rows included, and loses the last %,d; shorten or split it"
                                    .formatted(length, length - prompts.maxLength())));
        } catch (DataException e) {
            return Optional.of(finding(i, Finding.Kind.NOTHING_TAUGHT, String.valueOf(e.getMessage())));
        }
    }

    private void add(int position, Finding.Kind kind, String reason) {
        findings.add(finding(position, kind, reason));
    }

    private Finding finding(int position, Finding.Kind kind, String reason) {
        return new Finding(kind, data.skip(position, reason));
    }
}
