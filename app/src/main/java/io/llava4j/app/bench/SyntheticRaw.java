package io.llava4j.app.bench;

import io.llava4j.train.data.raw.PickleWriter;
import io.llava4j.train.data.raw.QuestionSchemas;
import io.llava4j.train.data.raw.RawSchemas;
import io.llava4j.train.data.raw.RawWriter;
import io.llava4j.train.data.raw.RegionSchemas;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Raw annotation files of the real size, or a share of it, with synthetic content: the numbers of questions, images,
 * regions and words are real, the paths those of {@code recipes/data/mix665k.yaml}.
 */
final class SyntheticRaw {
    private static final List<String> WORDS =
            List.of(("the a red man woman dog table on of in with street white holding sitting next to large green "
                            + "bus sign people two water tree building black shirt wearing standing front plate food grass "
                            + "window light small playing tennis ball computer because therefore function return explain that")
                    .split(" "));

    private final Path root;
    private final double share;

    /**
     * @param root folder of the raw files
     * @param share of the real size, up to 1
     */
    SyntheticRaw(Path root, double share) {
        this.root = root;
        this.share = share;
    }

    /** The share of a number of the real files, at least 1. */
    int part(int full) {
        return (int) Math.max(1, Math.round(full * share));
    }

    /** Expected conversations by source: the counts of the released mixture in proportion. */
    Map<String, Integer> expected() {
        return Map.of(
                "llava-instruct", part(157_712),
                "sharegpt", part(40_688),
                "vqav2", part(82_783),
                "gqa", part(72_140),
                "okvqa", part(8_998),
                "ocr-vqa", part(80_000),
                "a-okvqa", 4 * part(16_540),
                "textcaps", part(21_953),
                "refcoco", part(28_158) + part(20_289),
                "vg", part(86_417));
    }

    void write(int threads) {
        List<Callable<Void>> files = List.of(
                this::visualGenome,
                () -> vqa(
                        "vqav2",
                        "v2_OpenEnded_mscoco_train2014_questions.json",
                        "v2_mscoco_train2014_annotations.json",
                        "net",
                        82_783,
                        443_757),
                this::gqa,
                this::shareGpt,
                this::instruct,
                this::refCoco,
                this::ocrVqa,
                this::textCaps,
                () -> vqa(
                        "okvqa",
                        "OpenEnded_mscoco_train2014_questions.json",
                        "mscoco_train2014_annotations.json",
                        "",
                        8_998,
                        9_009),
                this::aOkvqa);
        try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
            for (Future<Void> done : workers.invokeAll(files)) {
                done.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    private static String words(SplittableRandom random, int min, int max) {
        StringBuilder text = new StringBuilder();
        int count = random.nextInt(min, max + 1);
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : " ").append(WORDS.get(random.nextInt(WORDS.size())));
        }
        return text.toString();
    }

    private Void vqa(String set, String questionFile, String annotationFile, String agreed, int images, int questions)
            throws IOException {
        SplittableRandom random = new SplittableRandom(questions);
        int count = part(images);
        try (RawWriter asked = RawWriter.field(root.resolve(set).resolve(questionFile), Map.of(), "questions");
                RawWriter said = RawWriter.field(root.resolve(set).resolve(annotationFile), Map.of(), "annotations")) {
            for (int i = 0; i < Math.max(count, part(questions)); i++) {
                int image = 7 * (i % count) + 9;
                List<String> answers = new ArrayList<>();
                for (int k = 0; k < 10; k++) {
                    answers.add(k < 6 && !agreed.isEmpty() ? agreed : words(random, 1, 2));
                }
                asked.add(QuestionSchemas.vqaQuestion(i, image, "What is " + words(random, 3, 7) + "?"));
                said.add(QuestionSchemas.vqaAnnotation(i, image, "what is", "other", agreed, answers));
            }
        }
        return null;
    }

    private Void gqa() throws IOException {
        SplittableRandom random = new SplittableRandom(2);
        int images = part(72_140);
        try (RawWriter out = RawWriter.keyed(root.resolve("gqa/train_balanced_questions.json"))) {
            for (int i = 0; i < part(943_000); i++) {
                String question = "Is the " + words(random, 4, 10) + "?";
                out.add(
                        Integer.toString(20_000_000 + i),
                        QuestionSchemas.gqaQuestion(
                                Integer.toString(2_300_000 + i % images),
                                question,
                                words(random, 1, 1),
                                question,
                                "relate"));
            }
        }
        return null;
    }

    private Void ocrVqa() throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        try (RawWriter out = RawWriter.keyed(root.resolve("ocr_vqa/dataset.json"))) {
            for (int i = 0; i < part(207_572); i++) {
                String title = words(random, 3, 9);
                String author = words(random, 2, 2);
                String genre = words(random, 1, 3);
                String id = "%010d".formatted(i * 31L);
                out.add(
                        id,
                        QuestionSchemas.ocrVqaBook(
                                id,
                                title,
                                author,
                                genre,
                                i % 10 < 8 ? 1 : i % 10 - 6,
                                List.of(
                                        "Who wrote this book?",
                                        "What is the title of this book?",
                                        "What is the genre of this book?",
                                        "Is this a " + genre + " book?",
                                        "Is this book related to " + genre + "?"),
                                List.of(author, title, genre, "Yes", "No")));
            }
        }
        return null;
    }

    private Void aOkvqa() throws IOException {
        SplittableRandom random = new SplittableRandom(4);
        int images = part(16_540);
        try (RawWriter out = RawWriter.array(root.resolve("aokvqa/aokvqa_v1p0_train.json"))) {
            for (int i = 0; i < Math.max(images, part(17_056)); i++) {
                out.add(QuestionSchemas.aOkvqaQuestion(
                        "q" + i,
                        5 * (i % images) + 1,
                        "Why is " + words(random, 4, 8) + "?",
                        List.of("one " + i, "two", "three", "four"),
                        random.nextInt(4)));
            }
        }
        return null;
    }

    private Void textCaps() throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        int images = part(21_953);
        try (RawWriter captions = RawWriter.field(root.resolve("textcaps/TextCaps_0.1_train.json"), Map.of(), "data");
                RawWriter ocr = RawWriter.field(
                        root.resolve("textcaps/TextVQA_Rosetta_OCR_v0.2_train.json"), Map.of(), "data")) {
            for (int i = 0; i < images; i++) {
                String image = "%016x".formatted(i * 977L);
                List<String> all = new ArrayList<>();
                for (int k = 0; k < 5; k++) {
                    all.add(words(random, 8, 16));
                }
                for (int k = 0; k < 5; k++) {
                    captions.add(QuestionSchemas.textCapsCaption(image, 1024, 5 * i + k, all.get(k), all));
                }
                ocr.add(QuestionSchemas.rosetta(
                        image, List.of(words(random, 1, 12).split(" "))));
            }
        }
        return null;
    }

    /** Images with 14 sentences make two segments, those with five make one. */
    private Void refCoco() throws IOException {
        List<String> sets = List.of("refcoco", "refcoco+", "refcocog");
        for (int s = 0; s < sets.size(); s++) {
            SplittableRandom random = new SplittableRandom(60 + s);
            Path folder = root.resolve("refcoco").resolve(sets.get(s));
            List<Map<String, Object>> images = new ArrayList<>();
            for (int i = 0; i < part(28_158); i++) {
                images.add(RegionSchemas.cocoImage(3 * i + 1, 640, 427 + i % 50));
            }
            try (RawWriter boxes =
                            RawWriter.field(folder.resolve("instances.json"), Map.of("images", images), "annotations");
                    PickleWriter refs = new PickleWriter(
                            folder.resolve(sets.get(s).equals("refcocog") ? "refs(umd).p" : "refs(unc).p"))) {
                int box = 0;
                int sentence = 0;
                for (int i = 0; i < images.size(); i++) {
                    for (int k = 0; k < 7; k++) {
                        double x = random.nextInt(500);
                        double y = random.nextInt(300);
                        boxes.add(RegionSchemas.cocoBox(
                                ++box, 3 * i + 1, x, y, 20 + random.nextInt(100) + 0.25, 20 + random.nextInt(100)));
                    }
                    boolean two = i < part(20_289);
                    int wanted = two ? (s < 2 ? 5 : 4) : (s < 2 ? 2 : 1);
                    for (int said = 0, k = 0; said < wanted; k++) {
                        List<String> sentences = new ArrayList<>();
                        for (; sentences.size() < 3 && said < wanted; said++) {
                            sentences.add(words(random, 2, 6));
                        }
                        refs.add(RegionSchemas.reference(sentence, box - k, 3 * i + 1, sentence, sentences));
                        sentence += sentences.size();
                    }
                }
            }
        }
        return null;
    }

    private Void visualGenome() throws IOException {
        SplittableRandom random = new SplittableRandom(7);
        int regions = 0;
        try (RawWriter out = RawWriter.array(root.resolve("vg/region_descriptions.json"));
                RawWriter images = RawWriter.array(root.resolve("vg/image_data.json"))) {
            for (int i = 1; i <= part(108_077); i++) {
                List<Map<String, Object>> all = new ArrayList<>();
                for (int k = 0; k < 50; k++) {
                    all.add(RegionSchemas.region(
                            ++regions,
                            i,
                            words(random, 3, 8),
                            random.nextInt(700),
                            random.nextInt(500),
                            1 + random.nextInt(200),
                            1 + random.nextInt(200)));
                }
                out.add(Map.of("regions", all, "id", i));
                images.add(RegionSchemas.visualGenomeImage(i, 800, 600));
            }
        }
        return null;
    }

    private Void instruct() throws IOException {
        SplittableRandom random = new SplittableRandom(8);
        try (RawWriter out = RawWriter.array(root.resolve("llava/llava_instruct_150k.json"))) {
            for (int i = 0; i < part(157_712); i++) {
                List<String> turns = new ArrayList<>();
                for (int k = 0; k < 1 + i % 5; k++) {
                    turns.addAll(List.of(
                            "human",
                            (k == 0 ? "<image>\n" : "") + "What is " + words(random, 5, 12) + "?",
                            "gpt",
                            words(random, 30, 70)));
                }
                String image = "%012d.jpg".formatted(i / 2);
                out.add(RawSchemas.conversation(image.substring(0, 12), image, turns));
            }
        }
        return null;
    }

    /** The real number of conversations, about seven thousand characters each; Vicuna's rules leave out one in eight. */
    private Void shareGpt() throws IOException {
        SplittableRandom random = new SplittableRandom(9);
        try (RawWriter out = RawWriter.array(root.resolve("sharegpt/sharegpt.json"))) {
            for (int i = 0; i < part(94_145); i++) {
                List<String> turns = new ArrayList<>();
                int pairs = 1 + random.nextInt(7);
                for (int k = 0; k < pairs; k++) {
                    turns.addAll(List.of("human", words(random, 10, 60), "gpt", words(random, 100, 500)));
                }
                if (i % 8 == 0) {
                    turns.addAll(List.of("human", "What did OpenAI do?", "gpt", "No idea."));
                } else if (i % 8 == 1) {
                    turns.addAll(0, List.of("gpt", words(random, 5, 10)));
                }
                out.add(RawSchemas.conversation("s" + i + "_0", "", turns));
            }
        }
        return null;
    }
}
