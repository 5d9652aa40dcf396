package io.llava4j.eval.choice;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.JsonRecord;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Means;
import io.llava4j.eval.score.OtherEdition;
import io.llava4j.eval.score.QuestionSource;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.score.UnknownLabels;
import io.llava4j.io.AtomicFiles;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** SEED-Bench as LLaVA scores it: a letter is generated and compared (docs/reference/evaluation.md#seed-bench). */
public final class Seed {
    /** LLaVA's question file and the official annotations. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS, List.of("llava-seed-bench.jsonl"),
                    FileRole.ANNOTATIONS, List.of("SEED-Bench.json", "SEED-Bench*.json"),
                    FileRole.IMAGES, List.of("images")),
            List.of(FileRole.ANNOTATIONS),
            List.of("seed_bench"));

    private static final String IMAGE = "image";

    /** The same files for the image part, which lie in SEED-Bench's folder. */
    public static final BenchmarkFilePatterns FILES_OF_SEED =
            new BenchmarkFilePatterns(FILES.byRole(), FILES.identifyingRoles(), List.of("seed", "seed_bench"));

    private static final Set<String> DATA_TYPES = Set.of(IMAGE, "video");
    private static final Set<String> LETTERS = Set.of("A", "B", "C", "D");

    private Seed() {}

    /** The official file. */
    public record Annotations(Map<Long, String> types, List<Item> items) {
        /** The questions about images, and the types that occur among them. */
        Annotations images() {
            List<Item> images = items.stream().filter(Item::image).toList();
            Map<Long, String> used = new HashMap<>(types);
            used.keySet().retainAll(images.stream().map(Item::type).collect(Collectors.toSet()));
            return new Annotations(used, images);
        }
    }

    /** A question of it; the official file writes ids as text. */
    public record Item(QuestionId id, long type, String dataType, String answer, JsonRecord record) {
        /** Ids are whole numbers where the text is one: images'; videos' stay text. */
        public QuestionId key() {
            return keyOf(id);
        }

        boolean image() {
            return dataType.equals(IMAGE);
        }
    }

    /**
     * Counts of right answers.
     *
     * @param total by type, and {@code total}, {@code image}, {@code video}
     * @param perQuestion 1 or 0
     * @param undefined the first type, by number, at which LLaVA's script stops: none of its answers is right and none is
     *     missing; null if it finishes
     */
    public record Counts(
            Means total,
            Map<String, Integer> perQuestion,
            @Nullable Long undefined) {}

    /** Official questions as LLaVA asks them. */
    public static List<Question> official(Path file, UnaryOperator<String> render) {
        List<Question> questions = new ArrayList<>();
        for (Item item : annotations(file).items()) {
            List<String> options = List.of(
                    item.record().text("choice_a"),
                    item.record().text("choice_b"),
                    item.record().text("choice_c"),
                    item.record().text("choice_d"));
            String dataId = item.record().text("data_id");
            int dot = dataId.lastIndexOf('.');
            questions.add(new Question(
                    item.key(),
                    item.image()
                            ? "SEED-Bench-image/" + dataId
                            : "SEED-Bench-video-image/%d_%s.png"
                                    .formatted(item.type(), dot < 0 ? dataId : dataId.substring(0, dot)),
                    render.apply(Options.lettered(item.record().text("question"), options)),
                    String.valueOf(item.type())));
        }
        return questions;
    }

    /** Accuracy over all, images, videos and each type, in percent as printed. */
    public static Score score(ScoreInput input) {
        return score(
                input, annotations(input.files().require(FileRole.ANNOTATIONS)), results(input.answers()), "accuracy");
    }

    /** The questions among some that are about images, by the annotations. */
    public static QuestionSource aboutImages(QuestionSource all) {
        return (files, render) -> {
            Set<QuestionId> images = annotations(files.require(FileRole.ANNOTATIONS)).images().items().stream()
                    .map(Item::key)
                    .collect(Collectors.toSet());
            return all.questions(files, render).stream()
                    .filter(question -> images.contains(keyOf(question.id())))
                    .toList();
        };
    }

    /** Accuracy over the questions about images and by type, in percent as printed; answers about videos do not count. */
    public static Score scoreImages(ScoreInput input) {
        Annotations all = annotations(input.files().require(FileRole.ANNOTATIONS));
        Set<QuestionId> videos = all.items().stream()
                .filter(item -> !item.image())
                .map(Item::key)
                .collect(Collectors.toSet());
        ResultFile file = results(input.answers());
        return score(
                input,
                all.images(),
                new ResultFile(
                        file.answers().stream()
                                .filter(answer -> !videos.contains(keyOf(answer.id())))
                                .toList(),
                        file.official(),
                        file.brokenLines()),
                IMAGE);
    }

    private static Score score(ScoreInput input, Annotations annotations, ResultFile file, String headline) {
        Map<QuestionId, Answer> answers = byKey(annotations, file);
        Counts counts = count(annotations, answers, String::equals);
        Map<String, Double> shares = new LinkedHashMap<>();
        counts.perQuestion().forEach((id, value) -> shares.put(id, value.doubleValue()));
        List<String> warnings = new ArrayList<>(Coverage.of(
                        annotations.items().stream().map(Item::key).toList(),
                        file.answers().stream()
                                .map(a -> file.official() ? keyOf(a.id()) : a.id())
                                .toList(),
                        0)
                .warnings("count as wrong; LLaVA's script stops when it writes the upload"));
        UnknownLabels unknown = new UnknownLabels();
        annotations.items().forEach(item -> unknown.check(LETTERS, item.answer(), "question " + item.id()));
        warnings.addAll(unknown.warnings("A, B, C or D", "no prediction of a letter can be right there"));
        if (counts.undefined() != null) {
            warnings.add(("no answer of type %d is right, at which LLaVA's script stops with a KeyError; "
                            + "here it counts as 0")
                    .formatted(counts.undefined()));
        }
        return new Score(
                headline,
                numbers(annotations, counts, headline),
                shares,
                annotations.items().size(),
                warnings,
                input.strict() ? strict(annotations, file, headline) : null);
    }

    private static Score.Strict strict(Annotations annotations, ResultFile file, String headline) {
        Map<QuestionId, Answer> answers = new HashMap<>();
        file.answers().forEach(answer -> answers.put(keyOf(answer.id()), answer));
        BiPredicate<String, String> letter = (text, truth) -> PythonText.strip(text)
                .replaceFirst("^\\(?([A-Z])(?:[.):,\\s].*|</s>)?$", "$1")
                .equals(truth);
        return new Score.Strict(
                "ids are compared as text, and a letter counts also with white space or punctuation around it",
                numbers(annotations, count(annotations, answers, letter), headline));
    }

    /** The image part has the headline {@code image}, and neither a total nor videos. */
    private static Map<String, Double> numbers(Annotations annotations, Counts counts, String headline) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        if (!headline.equals(IMAGE)) {
            numbers.put("accuracy", percent(counts.total(), "total"));
        }
        numbers.put(IMAGE, percent(counts.total(), IMAGE));
        if (!headline.equals(IMAGE)) {
            numbers.put("video", percent(counts.total(), "video"));
        }
        new TreeMap<>(annotations.types())
                .forEach((type, name) -> numbers.put(name, percent(counts.total(), String.valueOf(type))));
        return numbers;
    }

    private static double percent(Means counts, String group) {
        return PythonText.round(share(counts, group), 2);
    }

    /** {@code right / all * 100}. */
    public static double share(Means counts, String group) {
        int all = counts.count(group);
        return all == 0 ? 0 : counts.sum(group) / all * 100;
    }

    /** Writes what the leaderboard takes. */
    public static void submit(BenchmarkFiles files, Path answers, Path target) {
        Annotations annotations = annotations(files.require(FileRole.ANNOTATIONS));
        AtomicFiles.write(target, upload(annotations, results(answers)).getBytes(StandardCharsets.UTF_8));
    }

    /** @throws DataException for the first question without an answer, as LLaVA's script */
    public static String upload(Annotations annotations, ResultFile file) {
        Map<QuestionId, Answer> answers = file.last();
        StringBuilder out = new StringBuilder();
        for (Item item : annotations.items()) {
            Answer answer = answers.get(item.id());
            if (answer == null) {
                answer = answers.get(item.key());
            }
            if (answer == null) {
                throw new DataException("question %s has no answer; an upload needs all".formatted(item.id()));
            }
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("question_id", item.id());
            line.put("prediction", answer.text());
            out.append(PythonJson.dumps(line)).append('\n');
        }
        return out.toString();
    }

    public static ResultFile results(Path answers) {
        return ResultFile.read(answers, "question_id", "prediction", BrokenLines.REFUSE);
    }

    /** Answers as LLaVA's script finds them; in an upload all ids are text. */
    public static Map<QuestionId, Answer> byKey(Annotations annotations, ResultFile file) {
        if (!file.official()) {
            return file.last();
        }
        Map<QuestionId, Answer> answers = new HashMap<>();
        file.answers().forEach(answer -> answers.put(keyOf(answer.id()), answer));
        return answers;
    }

    private static QuestionId keyOf(QuestionId id) {
        return id.value().matches("[+-]?\\d+") ? new QuestionId(new BigInteger(id.value()).toString(), true) : id;
    }

    public static Counts count(
            Annotations annotations, Map<QuestionId, Answer> answers, BiPredicate<String, String> right) {
        Means total = new Means();
        Map<String, Integer> perQuestion = new LinkedHashMap<>();
        TreeMap<Long, Boolean> defined = new TreeMap<>();
        for (Item item : annotations.items()) {
            Answer answer = answers.get(item.key());
            int correct = answer != null && right.test(answer.text(), item.answer()) ? 1 : 0;
            perQuestion.put(item.id().value(), correct);
            defined.merge(item.type(), answer == null || correct == 1, Boolean::logicalOr);
            total.add(String.valueOf(item.type()), correct);
            total.add("total", correct);
            total.add(item.dataType(), correct);
        }
        Long undefined = defined.entrySet().stream()
                .filter(type -> !type.getValue())
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(null);
        return new Counts(total, perQuestion, undefined);
    }

    /** SEED-Bench 2, 2-Plus and H have other kinds of data, and lists of images. */
    private static void checkEdition(JsonRecord entry) {
        String type = entry.text("data_type");
        JsonNode data = entry.node().path("data_id");
        if (!DATA_TYPES.contains(type) || data.isArray()) {
            throw OtherEdition.refused(
                    entry.where(),
                    data.isArray() ? "data_id is a list of images" : "data_type is '%s'".formatted(type),
                    "SEED-Bench v1 (SEED-Bench.json), whose data are image or video");
        }
    }

    public static Annotations annotations(Path file) {
        Map<Long, String> types = new HashMap<>();
        JsonFiles.tree(file)
                .path("question_type")
                .properties()
                .forEach(type -> types.put(type.getValue().longValue(), type.getKey()));
        List<Item> items = new ArrayList<>();
        JsonFiles.arrays(file, (field, entry) -> {
            if (field.equals("questions")) {
                checkEdition(entry);
                items.add(new Item(
                        entry.id("question_id"),
                        entry.integer("question_type_id"),
                        entry.text("data_type"),
                        entry.text("answer"),
                        entry));
            }
        });
        if (items.isEmpty()) {
            throw new DataException(file + ": holds no 'questions'; is it the right file?");
        }
        return new Annotations(types, items);
    }
}
