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

    private final SceneSampler sampler;
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
        this.chats = new TextChats(sampler.categories());
        this.seed = seed;
    }

    /**
     * The conversation with a number from 0 up. In most, the first human turn is a description, a newline and the
     * question; the rest are text-only conversations.
     */
    public List<Turn> conversation(long index) {
        SplitMix64 random = SplitMix64.of(seed, "text", index);
        Source source = Source.pick(SHARES, random);
        if (source == Source.TEXT_ONLY) {
            return chats.chat(random);
        }
        Scene scene = sampler.scene(index);
        List<Turn> turns = new ArrayList<>(source.turns(conversations, scene, random));
        boolean withBoxes = source == Source.REGION;
        String description = !withBoxes && random.nextInt(2) == 0
                ? SceneFields.words(scene, GRID, random)
                : SceneDescriptions.describe(scene, withBoxes, random);
        turns.set(0, Turn.human(description + "\n" + turns.getFirst().text()));
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
