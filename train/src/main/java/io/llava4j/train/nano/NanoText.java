package io.llava4j.train.nano;

import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Turn;
import java.util.ArrayList;
import java.util.List;

/**
 * An endless corpus to pre-train the nano language model on: stage 2's own conversations about scenes that are described
 * in words instead of shown, so that the model learns the wording and to look facts up in its context, and text-only
 * conversations. Thread-safe; conversation {@code i} depends on seed and {@code i} only.
 */
public final class NanoText {
    /** Fields along an edge of a scene told as a map, as many as the nano tower has patches. */
    private static final int GRID = 6;

    private static final Stage2Shares SHARES = new Stage2Shares(0.55, 0.07, 0.08, 0.08, 0.12, 0.1);

    /** Share of the conversations that tell one scene several times. */
    private static final double RESTATED = 0.4;

    /** Share of the others that are drills. */
    private static final double DRILL = 0.4;

    private static final int DRILL_QUESTIONS = 8;

    private final SceneSampler sampler;
    private final Questions questions;
    private final Conversations conversations;
    private final TextChats chats;
    private final long seed;

    /**
     * @param sprites whose categories the text is about
     * @param seed of the corpus
     */
    public NanoText(Sprites sprites, long seed) {
        this.sampler =
                new SceneSampler(sprites, SceneOptions.scenes(sprites.drawings().trainingSets()), seed);
        this.conversations = new Conversations(sampler.categories(), QuestionShares.DEFAULT);
        this.questions = new Questions(sampler.categories(), QuestionShares.DEFAULT);
        this.chats = new TextChats(sampler.categories());
        this.seed = seed;
    }

    /**
     * The conversation with a number from 0 up. In most, the first human turn is a description, a newline and the
     * question; the rest are text-only conversations.
     */
    public List<Turn> conversation(long index) {
        SplitMix64 random = SplitMix64.of(seed, "text", index);
        if (random.chance(RESTATED)) {
            return restated(sampler.scene(index), random);
        }
        if (random.chance(DRILL)) {
            return drill(sampler.scene(index), random);
        }
        Source source = Source.pick(SHARES, random);
        if (source == Source.TEXT_ONLY) {
            return chats.chat(random);
        }
        Scene scene = sampler.scene(index);
        List<Turn> turns = new ArrayList<>(source.turns(conversations, scene, random));
        turns.set(
                0,
                Turn.human(
                        description(scene, source == Source.REGION, random) + "\n" + turns.getFirst().text()));
        return turns;
    }

    private static String description(Scene scene, boolean withBoxes, SplitMix64 random) {
        return !withBoxes && random.nextInt(2) == 0
                ? SceneFields.words(scene, GRID, random)
                : SceneDescriptions.describe(scene, withBoxes, random);
    }

    /**
     * One scene told in one way, then in two others: to go on after a name, the model has to find what was said of it
     * before, which teaches it to compare names.
     */
    private static List<Turn> restated(Scene scene, SplitMix64 random) {
        return List.of(
                Turn.human(description(scene, false, random) + "\nDescribe the picture."),
                Turn.assistant(SceneDescriptions.describe(scene, false, random)),
                Turn.human("Describe the image."),
                Turn.assistant(SceneDescriptions.describe(scene, false, random)));
    }

    /** Many existence questions about one scene: comparing a name with all that is there is the hardest thing to learn. */
    private List<Turn> drill(Scene scene, SplitMix64 random) {
        List<Category> present = scene.objects().stream()
                .map(SceneObject::category)
                .distinct()
                .toList();
        List<Turn> turns = new ArrayList<>();
        for (int i = 0; i < DRILL_QUESTIONS; i++) {
            boolean yes = random.chance(0.5);
            Category asked = yes ? random.pick(present) : questions.absent(scene, random);
            String question = "Is there " + asked.withArticle() + " in the image?";
            turns.add(Turn.human(
                    i > 0
                            ? question
                            : description(scene, false, random) + "\n" + question + "\n" + Conversations.SHORT));
            turns.add(Turn.assistant(yes ? "yes" : "no"));
        }
        return turns;
    }

    /**
     * A scene told as a map of words, and its caption: stage 1's form with words in the place of image rows.
     *
     * @param map what stands for the picture
     * @param caption what follows it
     */
    public record CaptionPair(String map, String caption) {}

    /** The caption pair with a number from 0 up. */
    public CaptionPair captionPair(long index) {
        SplitMix64 random = SplitMix64.of(seed, "caption pair", index);
        Scene scene = sampler.scene(index);
        return new CaptionPair(SceneFields.words(scene, GRID, random), Captions.caption(scene, random));
    }

    /** The same conversation in the template of stage 2, ready to be read by people. */
    public String line(long index) {
        return ConversationTemplate.V1.render(conversation(index), false);
    }
}
