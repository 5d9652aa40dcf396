package io.llava4j.nano.raw;

import io.llava4j.nano.text.ChoiceQuestions;
import io.llava4j.nano.text.InstructionForms;
import io.llava4j.nano.text.Question;
import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.SceneConversations;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.nano.world.Sprites;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The images of one raw data set: scenes by training artists, image numbers that no other source uses, and paths. Image
 * {@code i} depends only on the world's options, the name of the source and {@code i}.
 */
final class SourceImages {
    /** Difference between the first image numbers of two sources. */
    private static final int NUMBERS = 10_000_000;

    /** The many questions use up the categories of an image; this makes about two fifths of them existence questions. */
    private static final double EXISTENCE = 0.75;

    /** POPE asks for absent objects of any kind, and drawings by held-out artists are harder to recognise. */
    private static final double ALIKE = 0;

    private static final double OTHER_SUBJECTS = 0.5;

    private final Path root;
    private final RawSources.Part part;
    private final int firstNumber;
    private final NanoWorldOptions options;
    private final List<SceneSampler> samplers;
    private final Questions questions;
    private final SceneConversations conversations;
    private final InstructionForms forms;
    private final ChoiceQuestions choices;
    private final RenderQueue queue;

    /**
     * @param root of the world
     * @param part the source
     * @param place number of the source among all, from 1
     * @param sprites the drawings
     * @param options of the world
     * @param queue that draws the images
     */
    SourceImages(
            Path root, RawSources.Part part, int place, Sprites sprites, NanoWorldOptions options, RenderQueue queue) {
        this.root = root;
        this.part = part;
        this.firstNumber = place * NUMBERS + 1;
        this.options = options;
        this.queue = queue;
        SceneOptions usual = SceneOptions.sources(sprites.drawings().trainingSets());
        this.samplers = part.source().scenes(usual).stream()
                .map(scenes -> new SceneSampler(sprites, scenes, NanoSplit.seed(options.seed(), stream())))
                .toList();
        this.questions = new Questions(
                categories(), options.questions().withExistence(EXISTENCE).withAlike(ALIKE));
        this.conversations = new SceneConversations(categories(), options.questions());
        this.forms = new InstructionForms(categories());
        this.choices = new ChoiceQuestions(categories());
    }

    private String stream() {
        return "raw " + part.name();
    }

    int count() {
        return part.count();
    }

    /** Edge in pixels. */
    int size() {
        return options.imageSize();
    }

    /** A length in pixels with two decimals, as in COCO. */
    double pixels(double shareOfEdge) {
        return Math.rint(shareOfEdge * size() * 100) / 100;
    }

    Scene scene(int index) {
        return samplers.get(index % samplers.size()).scene(index);
    }

    /** Number of an image. */
    int number(int index) {
        return firstNumber + index;
    }

    /** Name of an image in COCO's training folder of 2017, as the mixture has it. */
    String cocoName(int index) {
        return "%012d.jpg".formatted(number(index));
    }

    /** Random numbers for one item. */
    SplitMix64 random(int index) {
        return SplitMix64.of(options.seed(), stream(), index);
    }

    List<Category> categories() {
        return samplers.getFirst().categories();
    }

    Questions questions() {
        return questions;
    }

    SceneConversations conversations() {
        return conversations;
    }

    /** Whether questions come in all forms of the benchmarks. */
    boolean allForms() {
        return options.allForms();
    }

    InstructionForms forms() {
        return forms;
    }

    ChoiceQuestions choices() {
        return choices;
    }

    /** Different questions, at least one, and as many as wanted if the scene allows. A fair coin decides yes or no. */
    List<Question> ask(Scene scene, int wanted, SplitMix64 random) {
        List<Question> asked = List.of();
        while (asked.isEmpty()) {
            asked = questions.ask(scene, wanted, () -> random.chance(0.5), random);
        }
        return allForms() ? withYesNo(asked, scene, random) : asked;
    }

    /** Every other existence question becomes one about another subject, as in GQA and VQAv2. */
    private List<Question> withYesNo(List<Question> asked, Scene scene, SplitMix64 random) {
        List<Question> all = new ArrayList<>();
        for (Question question : asked) {
            Question other = question.kind() == Question.Kind.EXISTENCE && random.chance(OTHER_SUBJECTS)
                    ? forms.yesNo(scene, random)
                    : null;
            all.add(other == null ? question : other);
        }
        return all;
    }

    /** Path of an annotation file. */
    Path file(String path) {
        return root.resolve("raw").resolve(path);
    }

    /**
     * Queues an image for drawing. Every fifth is a PNG with any extension, as in real data.
     *
     * @param path below the image folder
     */
    void draw(int index, Scene scene, String path) {
        queue.draw(scene, root.resolve("images").resolve(path), index % 5 == 4 ? "png" : "jpg");
    }
}
