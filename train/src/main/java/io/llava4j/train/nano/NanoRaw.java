package io.llava4j.train.nano;

import io.llava4j.DataException;
import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import io.llava4j.train.data.raw.PickleWriter;
import io.llava4j.train.data.raw.RawSchemas;
import io.llava4j.train.data.raw.RawWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a nano world as the raw data sets LLaVA's mixture is made of: the annotation files of all ten sources and of
 * LCS-558K in their original schemas below {@code raw}, at the paths that {@code recipes/data/mix665k.yaml} names, and
 * their pictures below {@code images}. The sources' shares are the paper's. Every picture belongs to one source; what is
 * said about it follows from its scene.
 */
public final class NanoRaw {
    /** Raised when the same options give other bytes than before. */
    private static final int VERSION = 1;

    private static final String MARKER = "nano-raw.json";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** The released mixture's conversations (spec/data 3). */
    private static final double MIXTURE = 665_298;

    private static final int ANNOTATORS = 10;
    private static final int IDS_PER_SOURCE = 10_000_000;

    private final Sprites sprites;
    private final NanoWorldOptions options;
    private final NanoWorld.Progress progress;
    private final Path root;
    private final ExecutorService workers;
    private final List<Future<?>> drawing = new ArrayList<>();
    private final AtomicInteger drawn = new AtomicInteger();
    private final Map<String, Integer> counts = new TreeMap<>();
    private int sources;

    /** The pictures of one source. */
    private final class Pictures {
        private final String name;
        private final int base;
        private final SceneSampler sampler;

        Pictures(String name, SceneOptions scenes) {
            this.name = name;
            this.base = ++sources * IDS_PER_SOURCE;
            this.sampler = new SceneSampler(sprites, scenes, NanoSplit.seed(options.seed(), "raw " + name));
        }

        Scene scene(int index) {
            return sampler.scene(index);
        }

        int id(int index) {
            return base + index + 1;
        }

        SplitMix64 random(int index) {
            return SplitMix64.of(options.seed(), "raw " + name, index);
        }

        Questions questions() {
            return new Questions(sampler.categories(), options.questions());
        }

        Conversations conversations() {
            return new Conversations(sampler.categories(), options.questions());
        }

        void draw(int index, String path) {
            Scene scene = scene(index);
            counts.merge(name, 1, Integer::sum);
            drawing.add(workers.submit(() -> {
                NanoRaw.this.draw(scene, root.resolve("images").resolve(path), index % 5 == 4);
                drawn.incrementAndGet();
            }));
        }
    }

    private NanoRaw(
            Sprites sprites,
            NanoWorldOptions options,
            NanoWorld.Progress progress,
            Path root,
            ExecutorService workers) {
        this.sprites = sprites;
        this.options = options;
        this.progress = progress;
        this.root = root;
        this.workers = workers;
    }

    /**
     * Writes the data sets, or keeps those that are there if they are of the same options.
     *
     * @param directory absent, empty, or an older one of this kind, which is replaced
     * @param options {@code stage1} pictures of LCS, raw annotations for about {@code stage2} conversations
     * @param sprites the drawings
     * @param threads how many draw
     * @param progress told how many pictures are drawn
     * @return pictures, and conversations without one, by source
     * @throws DataException if the directory holds something else or cannot be written
     */
    public static NanoWorld.Result write(
            Path directory, NanoWorldOptions options, Sprites sprites, int threads, NanoWorld.Progress progress) {
        Path target = directory.toAbsolutePath().normalize();
        String fingerprint = Fingerprint.of(VERSION, options, sprites.drawings());
        try (ExecutorService workers = Executors.newFixedThreadPool(Math.max(1, threads))) {
            Path marker = target.resolve(MARKER);
            if (Files.isRegularFile(marker)) {
                var old = JSON.readTree(marker);
                if (old.path("fingerprint").asString("").equals(fingerprint)) {
                    Map<String, Integer> counts = new LinkedHashMap<>();
                    old.path("counts")
                            .properties()
                            .forEach(c -> counts.put(c.getKey(), c.getValue().asInt()));
                    return new NanoWorld.Result(target, true, counts);
                }
            } else if (Files.exists(target) && !FileTrees.isEmptyDirectory(target)) {
                throw new DataException(
                        target + ": holds something else than nano raw data; name another folder or remove it");
            }
            Path part = target.resolveSibling("." + target.getFileName() + ".part");
            FileTrees.delete(part);
            NanoRaw raw = new NanoRaw(sprites, options, progress, part, workers);
            raw.writeAll();
            Files.writeString(
                    part.resolve(MARKER),
                    JSON.writeValueAsString(Map.of("fingerprint", fingerprint, "counts", raw.counts)) + "\n");
            FileTrees.delete(target);
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            return new NanoWorld.Result(target, false, raw.counts);
        } catch (IOException | UncheckedIOException e) {
            throw new DataException(
                    "%s: the nano raw data cannot be written (%s)".formatted(target, e.getMessage()), e);
        }
    }

    private void writeAll() throws IOException {
        writeCaptionPairs();
        writeInstruct(share(157_712));
        writeChats(share(40_688));
        writeVqa(
                "vqav2",
                "v2_OpenEnded_mscoco_train2014_questions.json",
                "v2_mscoco_train2014_annotations.json",
                share(82_783),
                5);
        writeGqa(share(72_140));
        writeVqa(
                "okvqa",
                "OpenEnded_mscoco_train2014_questions.json",
                "mscoco_train2014_annotations.json",
                share(8_998),
                1);
        writeOcrVqa(share(80_000));
        writeAOkvqa(share(66_160 / 4));
        writeTextCaps(share(21_953));
        // About five segments of fewer than ten pairs come from three pictures.
        writeRefCoco(share(48_447 * 3 / 5));
        writeVisualGenome(share(86_417));
        await();
    }

    private int share(int ofMixture) {
        return (int) Math.max(1, Math.round(options.stage2() / MIXTURE * ofMixture));
    }

    private Path raw(String path) {
        return root.resolve("raw").resolve(path);
    }

    private SceneOptions scenes() {
        return SceneOptions.scenes(sprites.drawings().trainingSets());
    }

    private void writeCaptionPairs() throws IOException {
        Pictures pictures = new Pictures("lcs", scenes().withObjects(1, 2));
        try (RawWriter out = RawWriter.array(raw("lcs/blip_laion_cc_sbu_558k.json"))) {
            for (int i = 0; i < options.stage1(); i++) {
                SplitMix64 random = pictures.random(i);
                String path = "%05d/%09d.jpg".formatted(i / 1000, pictures.id(i));
                String instruction = Captions.instruction(random);
                String human = random.chance(0.5)
                        ? Turn.IMAGE_PLACEHOLDER + "\n" + instruction
                        : instruction + "\n" + Turn.IMAGE_PLACEHOLDER;
                out.add(RawSchemas.conversation(
                        path.substring(6, 15),
                        path,
                        List.of("human", human, "gpt", Captions.caption(pictures.scene(i), random))));
                pictures.draw(i, "lcs/" + path);
            }
        }
    }

    /** The three kinds of LLaVA-Instruct: conversations, detailed descriptions, and a question that wants a reason. */
    private void writeInstruct(int count) throws IOException {
        Pictures pictures = new Pictures("llava-instruct", scenes());
        Conversations conversations = pictures.conversations();
        try (RawWriter out = RawWriter.array(raw("llava/llava_instruct_150k.json"))) {
            for (int i = 0; i < count; i++) {
                SplitMix64 random = pictures.random(i);
                Scene scene = pictures.scene(i);
                List<Turn> turns = new ArrayList<>();
                if (random.chance(0.15)) {
                    turns.add(Turn.human("Describe the image in detail."));
                    turns.add(Turn.assistant(SceneDescriptions.describe(scene, false, random)));
                }
                while (turns.isEmpty()) {
                    turns.addAll(conversations.free(scene, random));
                }
                String first = turns.getFirst().text();
                turns.set(
                        0,
                        Turn.human(
                                random.chance(0.5)
                                        ? first + "\n" + Turn.IMAGE_PLACEHOLDER
                                        : Turn.IMAGE_PLACEHOLDER + "\n" + first));
                String image = coco2017(pictures.id(i));
                out.add(RawSchemas.conversation(image.substring(0, 12), image, spoken(turns)));
                pictures.draw(i, "coco/train2017/" + image);
            }
        }
    }

    /** Shared conversations as they come: now and then as HTML, with a greeting first or a question left open. */
    private void writeChats(int count) throws IOException {
        TextChats chats = new TextChats(sprites.categoriesIn(sprites.drawings().trainingSets()));
        Set<List<String>> seen = new HashSet<>();
        try (RawWriter out = RawWriter.array(raw("sharegpt/sharegpt.json"))) {
            for (int i = 0; seen.size() < count && i < 20 * count; i++) {
                SplitMix64 random = SplitMix64.of(options.seed(), "raw sharegpt", i);
                List<String> spoken = new ArrayList<>(spoken(chats.chat(random)));
                if (!seen.add(List.copyOf(spoken))) {
                    continue;
                }
                if (random.chance(0.2)) {
                    for (int k = 3; k < spoken.size(); k += 4) {
                        spoken.set(k, "<p>" + spoken.get(k) + "</p>");
                    }
                }
                if (random.chance(0.1)) {
                    spoken.addAll(0, List.of("gpt", "Hello!"));
                }
                if (random.chance(0.1)) {
                    spoken.addAll(List.of("human", "Thank you!"));
                }
                out.add(RawSchemas.conversation("nano" + i, "", spoken));
            }
        }
        counts.put("sharegpt", seen.size());
    }

    private static List<String> spoken(List<Turn> turns) {
        List<String> spoken = new ArrayList<>();
        for (Turn turn : turns) {
            spoken.add(turn.role() == Role.HUMAN ? "human" : "gpt");
            spoken.add(turn.text());
        }
        return spoken;
    }

    private void writeVqa(String set, String questionFile, String annotationFile, int count, int perPicture)
            throws IOException {
        Pictures pictures = new Pictures(set, scenes());
        Questions asker = pictures.questions();
        Map<String, ?> head = Map.of("data_subtype", "train2014", "data_type", "mscoco");
        try (RawWriter questions = RawWriter.field(raw(set + "/" + questionFile), head, "questions");
                RawWriter annotations = RawWriter.field(raw(set + "/" + annotationFile), head, "annotations")) {
            for (int i = 0; i < count; i++) {
                SplitMix64 random = pictures.random(i);
                int image = pictures.id(i);
                int number = 0;
                for (Question question : asked(asker, pictures.scene(i), perPicture, random)) {
                    int id = image * 10 + number++;
                    questions.add(RawSchemas.vqaQuestion(id, image, question.text()));
                    annotations.add(RawSchemas.vqaAnnotation(
                            id,
                            image,
                            question.kind().type(),
                            question.answerType(),
                            set.equals("vqav2") ? question.answer() : "",
                            answers(question, random)));
                }
                pictures.draw(i, "coco/train2017/" + coco2017(image));
            }
        }
    }

    /** At least one question; a scene of one thing may have none of some kind. */
    private static List<Question> asked(Questions asker, Scene scene, int wanted, SplitMix64 random) {
        List<Question> asked = List.of();
        while (asked.isEmpty()) {
            asked = asker.ask(scene, wanted, () -> random.chance(0.5), random);
        }
        return asked.subList(0, Math.min(asked.size(), wanted));
    }

    /** Ten people: most say the same, a few use another word. */
    private static List<String> answers(Question question, SplitMix64 random) {
        List<String> answers = new ArrayList<>();
        for (int i = 0; i < ANNOTATORS; i++) {
            boolean other = !question.synonyms().isEmpty() && i < 3 && random.chance(0.3);
            answers.add(other ? random.pick(question.synonyms()) : question.answer());
        }
        random.shuffle(answers);
        return answers;
    }

    private void writeGqa(int count) throws IOException {
        Pictures pictures = new Pictures("gqa", scenes());
        Questions asker = pictures.questions();
        try (RawWriter out = RawWriter.keyed(raw("gqa/train_balanced_questions.json"))) {
            for (int i = 0; i < count; i++) {
                SplitMix64 random = pictures.random(i);
                String image = Integer.toString(pictures.id(i));
                int number = 0;
                for (Question question : asked(asker, pictures.scene(i), 6, random)) {
                    out.add(
                            image + "%02d".formatted(number++),
                            RawSchemas.gqaQuestion(
                                    image,
                                    question.text(),
                                    question.answer(),
                                    Wording.sentence("the answer is " + question.answer()),
                                    question.kind().type()));
                }
                pictures.draw(i, "gqa/images/" + image + ".jpg");
            }
        }
    }

    /** Book covers: scenes with a sign, whose word is the title. */
    private void writeOcrVqa(int count) throws IOException {
        Pictures pictures = new Pictures("ocr-vqa", scenes().withObjects(1, 3).withSigns(1));
        try (RawWriter out = RawWriter.keyed(raw("ocr_vqa/dataset.json"))) {
            for (int i = 0; i < count; i++) {
                Scene scene = pictures.scene(i);
                String id = "%010d".formatted(pictures.id(i));
                String word = SignFont.read(Objects.requireNonNull(scene.sign()).word());
                SceneObject thing = scene.objects().getFirst();
                boolean right = pictures.random(i).chance(0.5);
                Category asked = right ? thing.category() : pictures.questions().absent(scene, pictures.random(i));
                out.add(
                        id,
                        RawSchemas.ocrVqaBook(
                                id,
                                word,
                                "Nano",
                                thing.category().supercategory(),
                                1,
                                List.of(
                                        "What is the title of this book?",
                                        "Is there " + asked.withArticle() + " on the cover?",
                                        "What color is the background?"),
                                List.of(
                                        word,
                                        right ? "Yes" : "No",
                                        scene.background().color().name())));
                pictures.draw(i, "ocr_vqa/images/" + id + ".jpg");
            }
        }
    }

    private void writeAOkvqa(int count) throws IOException {
        Pictures pictures = new Pictures("a-okvqa", scenes());
        Questions asker = pictures.questions();
        Conversations conversations = pictures.conversations();
        try (RawWriter out = RawWriter.array(raw("aokvqa/aokvqa_v1p0_train.json"))) {
            for (int i = 0; i < count; i++) {
                SplitMix64 random = pictures.random(i);
                Scene scene = pictures.scene(i);
                Question question = null;
                while (question == null) {
                    question = switch (random.nextInt(3)) {
                        case 0 -> asker.color(scene, random);
                        case 1 -> asker.count(scene, random);
                        default -> asker.category(scene, random);
                    };
                }
                List<String> choices = conversations.options(question, scene, random);
                int image = pictures.id(i);
                out.add(RawSchemas.aOkvqaQuestion(
                        "nano" + image, image, question.text(), choices, choices.indexOf(question.answer())));
                pictures.draw(i, "coco/train2017/" + coco2017(image));
            }
        }
    }

    private void writeTextCaps(int count) throws IOException {
        Pictures pictures = new Pictures("textcaps", scenes().withObjects(1, 3).withSigns(1));
        try (RawWriter captions = RawWriter.field(
                        raw("textcaps/TextCaps_0.1_train.json"), Map.of("dataset_type", "train"), "data");
                RawWriter words = RawWriter.field(
                        raw("textcaps/TextVQA_Rosetta_OCR_v0.2_train.json"),
                        Map.of("dataset_name", "rosetta"),
                        "data")) {
            for (int i = 0; i < count; i++) {
                SplitMix64 random = pictures.random(i);
                Scene scene = pictures.scene(i);
                String image = "%016x".formatted(pictures.id(i));
                List<String> said = new ArrayList<>();
                for (int k = 0; k < 5; k++) {
                    said.add(Wording.sentence(Captions.caption(scene, random)));
                }
                for (int k = 0; k < said.size(); k++) {
                    captions.add(RawSchemas.textCapsCaption(
                            image, options.imageSize(), pictures.id(i) * 10 + k, said.get(k), said));
                }
                String word = SignFont.read(Objects.requireNonNull(scene.sign()).word());
                words.add(RawSchemas.rosetta(image, List.of(word)));
                pictures.draw(i, "textvqa/train_images/" + image + ".jpg");
            }
        }
    }

    /** Three sets about the same pictures, each with words of its own for a box: where it is, what it is, all of it. */
    private void writeRefCoco(int count) throws IOException {
        Pictures pictures = new Pictures("refcoco", scenes());
        List<String> sets = List.of("refcoco", "refcoco+", "refcocog");
        for (String set : sets) {
            String folder = "refcoco/" + set + "/";
            Path instances = raw(folder + "instances.json");
            Path refs = raw(folder + (set.equals("refcocog") ? "refs(umd).p" : "refs(unc).p"));
            List<Map<String, Object>> images = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                images.add(RawSchemas.cocoImage(pictures.id(i), options.imageSize(), options.imageSize()));
            }
            try (RawWriter boxes = RawWriter.field(instances, Map.of("images", images), "annotations");
                    PickleWriter out = new PickleWriter(refs)) {
                int sentence = 0;
                int box = 0;
                for (int i = 0; i < count; i++) {
                    Scene scene = pictures.scene(i);
                    for (SceneObject object : scene.objects()) {
                        Extent extent = object.box();
                        box++;
                        boxes.add(RawSchemas.cocoBox(
                                box,
                                pictures.id(i),
                                pixels(extent.left()),
                                pixels(extent.top()),
                                pixels(extent.width()),
                                pixels(extent.height())));
                        if (Questions.isUnique(scene, object)) {
                            List<String> words = references(set, object);
                            out.add(RawSchemas.reference(box, box, pictures.id(i), sentence, words));
                            sentence += words.size();
                        }
                    }
                }
            }
        }
        for (int i = 0; i < count; i++) {
            pictures.draw(i, "coco/train2017/" + coco2017(pictures.id(i)));
        }
    }

    private static List<String> references(String set, SceneObject object) {
        String place =
                Place.isClear(object.box()) ? " " + Place.of(object.box()).phrase() : "";
        return switch (set) {
            case "refcoco" ->
                List.of(Wording.bare(object) + place, "the " + object.category().name());
            case "refcoco+" -> List.of(Wording.bare(object));
            default -> List.of(Wording.phrase(object) + place);
        };
    }

    private void writeVisualGenome(int count) throws IOException {
        Pictures pictures = new Pictures("vg", scenes());
        try (RawWriter regions = RawWriter.array(raw("vg/region_descriptions.json"));
                RawWriter images = RawWriter.array(raw("vg/image_data.json"))) {
            int id = 0;
            for (int i = 0; i < count; i++) {
                Scene scene = pictures.scene(i);
                int image = pictures.id(i);
                List<Map<String, Object>> all = new ArrayList<>();
                for (SceneObject object : scene.objects()) {
                    Extent box = object.box();
                    for (String phrase : phrases(object)) {
                        all.add(RawSchemas.region(
                                ++id,
                                image,
                                phrase,
                                (int) Math.round(box.left() * options.imageSize()),
                                (int) Math.round(box.top() * options.imageSize()),
                                (int) Math.round(box.width() * options.imageSize()),
                                (int) Math.round(box.height() * options.imageSize())));
                    }
                }
                Map<String, Object> record = new LinkedHashMap<>();
                record.put("regions", all);
                record.put("id", image);
                regions.add(record);
                images.add(RawSchemas.visualGenomeImage(image, options.imageSize(), options.imageSize()));
                pictures.draw(i, "vg/" + RawSchemas.visualGenomePath(image));
            }
        }
    }

    private static List<String> phrases(SceneObject object) {
        String place =
                Place.isClear(object.box()) ? " " + Place.of(object.box()).phrase() : "";
        return List.of(Wording.phrase(object) + place, "the " + Wording.bare(object), Wording.phrase(object));
    }

    private double pixels(double share) {
        return Math.rint(share * options.imageSize() * 100) / 100;
    }

    private static String coco2017(int id) {
        return "%012d.jpg".formatted(id);
    }

    /** Real data has pictures with a wrong ending, too. */
    private void draw(Scene scene, Path file, boolean png) {
        try {
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            Path drawing = png ? file.resolveSibling(file.getFileName() + ".png") : file;
            PictureFiles.write(SceneRenderer.render(scene, options.imageSize()), drawing);
            if (png) {
                Files.move(drawing, file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void await() {
        try {
            for (Future<?> picture : drawing) {
                picture.get();
                progress.update(drawn.get(), drawing.size());
            }
        } catch (InterruptedException e) {
            workers.shutdownNow();
            Thread.currentThread().interrupt();
            throw new DataException("writing the nano raw data was interrupted; run it again", e);
        } catch (ExecutionException e) {
            workers.shutdownNow();
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        }
    }
}
