package io.llava4j.nano.pretrain;

import io.llava4j.nano.text.Captions;
import io.llava4j.nano.text.InstructionForms;
import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.SceneConversations;
import io.llava4j.nano.text.SceneDescriptions;
import io.llava4j.nano.text.TextChats;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.nano.world.Sprites;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * An endless corpus to pre-train the nano language model on: captions of stage 1 and conversations of stage 2 about scenes
 * that are described in words instead of shown, so that the model learns the wording and to look facts up in its context,
 * and text-only conversations. A small model does not learn to look up facts from those alone; associative recall and
 * attribute listing come first. Thread-safe; text {@code i} of a kind depends on seed and {@code i} only.
 */
public final class NanoText {
    /** Cells along an edge of a scene that is given cell by cell, the number of the nano tower's patches. */
    static final int GRID = 6;

    /** Share of the scenes that are given cell by cell; the others are described in sentences. */
    static final double IN_CELLS = 0.8;

    private static final FinetuneShares SHARES = new FinetuneShares(0.55, 0.07, 0.08, 0.08, 0.12, 0.1);

    private static final int DRILL_QUESTIONS = 8;

    private static final int FORMS = 4;

    private final SceneSampler sampler;
    private final Questions questions;
    private final SceneConversations conversations;
    private final TextChats chats;
    private final InstructionForms forms;
    private final Exercises exercises;
    private final long seed;

    /** A corpus about scenes of one to five things. */
    public NanoText(Sprites sprites, long seed) {
        this(sprites, SceneOptions.scenes(sprites.drawings().trainingSets()), seed);
    }

    /**
     * @param sprites whose categories the text is about
     * @param scenes what the scenes are like
     * @param seed of the corpus
     */
    public NanoText(Sprites sprites, SceneOptions scenes, long seed) {
        this.sampler = new SceneSampler(sprites, scenes, seed);
        this.conversations = new SceneConversations(sampler.categories(), QuestionShares.DEFAULT);
        this.questions = new Questions(sampler.categories(), QuestionShares.DEFAULT);
        this.chats = new TextChats(sampler.categories());
        this.forms = new InstructionForms(sampler.categories());
        this.exercises = new Exercises(sampler, seed);
        this.seed = seed;
    }

    /**
     * A conversation about a scene.
     *
     * @param turns with {@link Turn#IMAGE_PLACEHOLDER} in place of the cells
     * @param cells of the scene, row by row from the top left; empty if the scene is described in sentences or there is
     *     none
     */
    public record Conversation(List<Turn> turns, List<GridCell> cells) {}

    /** The conversation with a number from 0 up: one of stage 2, about a scene or about none. */
    public Conversation conversation(long index) {
        SplitMix64 random = SplitMix64.of(seed, "text", index);
        Source source = Source.pick(SHARES, random);
        if (source == Source.TEXT_ONLY) {
            return new Conversation(chats.chat(random), List.of());
        }
        Scene scene = sampler.scene(index);
        return about(scene, source.turns(conversations, scene, random), source == Source.REGION, random);
    }

    private static Conversation about(Scene scene, List<Turn> turns, boolean withBoxes, SplitMix64 random) {
        boolean inCells = !withBoxes && random.chance(IN_CELLS);
        String description = inCells ? Turn.IMAGE_PLACEHOLDER : SceneDescriptions.describe(scene, withBoxes, random);
        return new Conversation(
                SceneDescriptions.before(turns, description), inCells ? GridCells.words(scene, GRID) : List.of());
    }

    /** Many existence questions about one scene: to compare a name with all things is the hardest task. */
    public Conversation existenceDrill(long index) {
        SplitMix64 random = SplitMix64.of(seed, "drill", index);
        Scene scene = sampler.scene(index);
        List<Category> present =
                scene.objects().stream().map(SceneObject::category).distinct().toList();
        List<Turn> turns = new ArrayList<>();
        for (int i = 0; i < DRILL_QUESTIONS; i++) {
            boolean yes = random.chance(0.5);
            Category asked = yes ? random.pick(present) : questions.absent(scene, random);
            String question = "Is there " + asked.withArticle() + " in the image?";
            turns.add(Turn.human(i > 0 ? question : question + "\n" + SceneConversations.SHORT));
            turns.add(Turn.assistant(yes ? "yes" : "no"));
        }
        return about(scene, turns, false, random);
    }

    /** The exercises about the corpus's scenes. */
    Exercises exercises() {
        return exercises;
    }

    /** Questions about one scene in several forms of instructions. */
    public Conversation instructionForms(long index) {
        SplitMix64 random = SplitMix64.of(seed, "forms", index);
        Scene scene = sampler.scene(index);
        return about(scene, forms.conversation(scene, FORMS, random), false, random);
    }

    /** A scene cell by cell, and its caption: stage 1's form with words in place of image tokens. */
    Exercises.PlainText captionPair(long index) {
        SplitMix64 random = SplitMix64.of(seed, "caption pair", index);
        Scene scene = sampler.scene(index);
        return new Exercises.PlainText(
                GridCells.words(scene, GRID), List.of(Exercises.Part.answer(Captions.caption(scene, random) + "\n")));
    }

    /** Questions with options and names in Chinese, for a vocabulary. */
    public String inChinese(long index) {
        return exercises.inChinese(index);
    }

    /** The same conversation in the template of stage 2, for people to read. */
    public String line(long index) {
        Conversation conversation = conversation(index);
        String cells = conversation.cells().stream()
                .map(cell -> cell.tint() == null ? cell.word() : cell.tint() + " " + cell.word())
                .collect(Collectors.joining(" "));
        return ConversationTemplate.V1.render(conversation.turns(), false).replace(Turn.IMAGE_PLACEHOLDER, cells);
    }
}
