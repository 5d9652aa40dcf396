package io.llava4j.nano.pretrain;

import io.llava4j.nano.text.Captions;
import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.SceneConversations;
import io.llava4j.nano.text.SceneDescriptions;
import io.llava4j.nano.text.TextChats;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.nano.world.Sprites;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Turn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * An endless corpus to pre-train the nano language model on: captions of stage 1 and conversations of stage 2 about scenes
 * that are told in words instead of shown, so that the model learns the wording and to look facts up in its context, and
 * text-only conversations. A small model does not learn to look up from those alone; partners and roll calls teach it
 * first. Thread-safe; text {@code i} of a kind depends on seed and {@code i} only.
 */
public final class NanoText {
    /** Fields along an edge of a scene told as a map, as many as the nano tower has patches. */
    private static final int GRID = 6;

    /** Share of the scenes that are told field by field; the others are described in sentences. */
    private static final double MAPPED = 0.8;

    private static final FinetuneShares SHARES = new FinetuneShares(0.55, 0.07, 0.08, 0.08, 0.12, 0.1);

    private static final int DRILL_QUESTIONS = 8;

    private static final int CALLS = 8;

    private static final int FEWEST_PAIRS = 4;

    private static final int MOST_PAIRS = 16;

    /** Share of the names asked for that have a partner. */
    private static final double PAIRED = 0.8;

    private final SceneSampler sampler;
    private final Questions questions;
    private final SceneConversations conversations;
    private final TextChats chats;
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
        this.seed = seed;
    }

    /**
     * A conversation about a scene.
     *
     * @param turns in which {@link Turn#IMAGE_PLACEHOLDER} stands where the fields are to be read
     * @param fields of the scene, row by row from the top left; empty if the scene is told in sentences or there is none
     */
    public record Talk(List<Turn> turns, List<SceneField> fields) {}

    /** The conversation with a number from 0 up: one of stage 2, about a scene or about none. */
    public Talk conversation(long index) {
        SplitMix64 random = SplitMix64.of(seed, "text", index);
        Source source = Source.pick(SHARES, random);
        if (source == Source.TEXT_ONLY) {
            return new Talk(chats.chat(random), List.of());
        }
        Scene scene = sampler.scene(index);
        return talk(scene, source.turns(conversations, scene, random), source == Source.REGION, random);
    }

    private static Talk talk(Scene scene, List<Turn> turns, boolean withBoxes, SplitMix64 random) {
        boolean mapped = !withBoxes && random.chance(MAPPED);
        String told = mapped ? Turn.IMAGE_PLACEHOLDER : SceneDescriptions.describe(scene, withBoxes, random);
        List<Turn> all = new ArrayList<>(turns);
        all.set(0, Turn.human(told + "\n" + turns.getFirst().text()));
        return new Talk(all, mapped ? SceneFields.words(scene, GRID) : List.of());
    }

    /** Many existence questions about one scene: to compare a name with all that is there is the hardest thing to learn. */
    public Talk drill(long index) {
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
        return talk(scene, turns, false, random);
    }

    /**
     * A text without roles.
     *
     * @param fields of a scene, read first; empty if there is none
     * @param parts what follows
     */
    public record Plain(List<SceneField> fields, List<Part> parts) {}

    /**
     * A part of a text without roles.
     *
     * @param text words, not blank at either end
     * @param supervised whether it is to be learnt, or only read
     */
    public record Part(String text, boolean supervised) {
        static Part read(String text) {
            return new Part(text, false);
        }

        static Part learnt(String text) {
            return new Part(text, true);
        }
    }

    /**
     * Fields of two names each, then one of each pair, to be answered with its partner, or with "no" if there is none.
     * A partner is worth five nats where an existence question is worth less than one: what compares a word with all
     * fields at once is learnt from this within minutes, and hardly at all from questions.
     */
    public Plain partners(long index) {
        SplitMix64 random = SplitMix64.of(seed, "partners", index);
        List<Category> names = new ArrayList<>(sampler.categories());
        random.shuffle(names);
        int pairs = FEWEST_PAIRS + random.nextInt(MOST_PAIRS - FEWEST_PAIRS + 1);
        List<SceneField> fields = new ArrayList<>();
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < pairs; i++) {
            String asked = SceneFields.word(names.get(2 * i));
            boolean there = random.chance(PAIRED);
            String partner = there ? SceneFields.word(names.get(2 * i + 1)) : "no";
            if (there) {
                fields.add(new SceneField(
                        i,
                        asked,
                        partner,
                        random.pick(Arrays.asList(Place.values())).words()));
            }
            parts.add(Part.read(asked));
            parts.add(Part.learnt(partner));
        }
        random.shuffle(fields);
        return new Plain(fields, parts);
    }

    /** A scene, then names, asked for in short or at length, each with its color and place if it is there, or "no". */
    public Plain rollCall(long index) {
        SplitMix64 random = SplitMix64.of(seed, "roll call", index);
        Scene scene = sampler.scene(index);
        List<SceneObject> present = new ArrayList<>(scene.objects());
        random.shuffle(present);
        List<Part> parts = new ArrayList<>();
        boolean mapped = random.chance(MAPPED);
        if (!mapped) {
            parts.add(Part.read(SceneDescriptions.describe(scene, false, random) + "\n"));
        }
        int next = 0;
        for (int i = 0; i < CALLS; i++) {
            if (random.chance(0.5)) {
                SceneObject object = present.get(next++ % present.size());
                parts.add(Part.read(call(object.category(), random)));
                String color = object.tint() == null ? "" : object.tint().name() + " ";
                parts.add(Part.learnt(color + Place.of(object.box()).words() + " ;"));
            } else {
                parts.add(Part.read(call(questions.absent(scene, random), random)));
                parts.add(Part.learnt("no ;"));
            }
        }
        return new Plain(mapped ? SceneFields.words(scene, GRID) : List.of(), parts);
    }

    /** The further a question's end is from the name, the harder it is to learn, so all distances are met. */
    private static String call(Category category, SplitMix64 random) {
        return switch (random.nextInt(4)) {
            case 0 -> category.name() + ":";
            case 1 -> category.withArticle() + "?";
            case 2 -> "Is there " + category.withArticle() + "?";
            default -> "Is there " + category.withArticle() + " in the image?";
        };
    }

    /** A scene field by field, and its caption: stage 1's form with words in the place of image rows. */
    public Plain captionPair(long index) {
        SplitMix64 random = SplitMix64.of(seed, "caption pair", index);
        Scene scene = sampler.scene(index);
        return new Plain(SceneFields.words(scene, GRID), List.of(Part.learnt(Captions.caption(scene, random) + "\n")));
    }

    /** The same conversation in the template of stage 2, ready to be read by people. */
    public String line(long index) {
        Talk talk = conversation(index);
        String fields = talk.fields().stream()
                .map(field -> field.tint() == null ? field.word() : field.tint() + " " + field.word())
                .collect(Collectors.joining(" "));
        return ConversationTemplate.V1.render(talk.turns(), false).replace(Turn.IMAGE_PLACEHOLDER, fields);
    }
}
