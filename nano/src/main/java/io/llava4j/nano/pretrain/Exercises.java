package io.llava4j.nano.pretrain;

import io.llava4j.nano.text.Choice;
import io.llava4j.nano.text.ChoiceQuestions;
import io.llava4j.nano.text.ChoiceQuestions.Topic;
import io.llava4j.nano.text.InstructionForms;
import io.llava4j.nano.text.Phrase;
import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.SceneDescriptions;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Exercises of a small language model: texts without roles that each practise one skill, with many answers to a text. A
 * model this small hardly learns such skills from conversations, whose answers are few and worth little. Thread-safe; text
 * {@code i} of a kind depends on seed and {@code i} only.
 */
final class Exercises {
    private static final int LISTED_NAMES = 8;

    private static final int MIN_PAIRS = 4;

    private static final int MAX_PAIRS = 16;

    /** Share of the given names that belong to a pair. */
    private static final double IN_PAIRS = 0.8;

    private static final int CHOICES = 8;

    /** Share of the drills that are in Chinese; a character takes three tokens, so they have fewer questions. */
    private static final double CHINESE_DRILLS = 0.4;

    private static final int CHINESE_CHOICES = 5;

    /** Every scene allows questions about numbers; without this they would be half of all. */
    private static final double COUNTING_SKIPPED = 0.7;

    private static final List<Topic> TOPICS = List.of(Topic.values());

    private static final List<Topic> PRESENCE = List.of(Topic.PRESENT, Topic.PRESENT, Topic.OBJECT, Topic.BACKGROUND);

    private static final int MOST_OPTIONS = 8;

    /** Share of the lists of options that are in Chinese. */
    private static final double CHINESE_OPTIONS = 0.3;

    private static final int TRANSLATED_NAMES = 12;

    private final SceneSampler sampler;
    private final Questions questions;
    private final ChoiceQuestions choices;
    private final List<Phrase> names;
    private final long seed;

    /**
     * @param sampler of the scenes
     * @param seed of the exercises
     */
    Exercises(SceneSampler sampler, long seed) {
        this.sampler = sampler;
        this.questions = new Questions(sampler.categories(), QuestionShares.DEFAULT);
        this.choices = new ChoiceQuestions(sampler.categories());
        this.names = names(sampler.categories());
        this.seed = seed;
    }

    /**
     * A text without roles.
     *
     * @param cells of a scene, which come first; empty if there is none
     * @param parts what follows
     */
    public record PlainText(List<GridCell> cells, List<Part> parts) {}

    /**
     * A part of a text without roles.
     *
     * @param text words, not blank at either end
     * @param supervised whether the model is trained to say it
     */
    public record Part(String text, boolean supervised) {
        static Part given(String text) {
            return new Part(text, false);
        }

        static Part answer(String text) {
            return new Part(text, true);
        }
    }

    /**
     * Cells of two names each, then one name of each pair, to be answered with the other, or with "no" if no cell has it.
     * Such an answer is worth five nats and that of an existence question less than one: attention that compares a word
     * with all cells at once develops from this within minutes, and hardly at all from questions.
     */
    public PlainText associativeRecall(long index) {
        SplitMix64 random = SplitMix64.of(seed, "partners", index);
        List<Category> names = new ArrayList<>(sampler.categories());
        random.shuffle(names);
        int pairs = MIN_PAIRS + random.nextInt(MAX_PAIRS - MIN_PAIRS + 1);
        List<GridCell> cells = new ArrayList<>();
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < pairs; i++) {
            String asked = GridCells.word(names.get(2 * i));
            boolean there = random.chance(IN_PAIRS);
            String answer = there ? GridCells.word(names.get(2 * i + 1)) : "no";
            if (there) {
                cells.add(new GridCell(
                        i,
                        asked,
                        answer,
                        random.pick(Arrays.asList(Place.values())).words()));
            }
            parts.add(Part.given(asked));
            parts.add(Part.answer(answer));
        }
        random.shuffle(cells);
        return new PlainText(cells, parts);
    }

    /** A scene, then names, asked for in short or at length; the answer is color and place, or "no". */
    public PlainText attributeListing(long index) {
        SplitMix64 random = SplitMix64.of(seed, "roll call", index);
        Scene scene = sampler.scene(index);
        List<SceneObject> present = new ArrayList<>(scene.objects());
        random.shuffle(present);
        List<Part> parts = new ArrayList<>();
        boolean inCells = random.chance(NanoText.IN_CELLS);
        if (!inCells) {
            parts.add(Part.given(SceneDescriptions.describe(scene, false, random) + "\n"));
        }
        int next = 0;
        for (int i = 0; i < LISTED_NAMES; i++) {
            if (random.chance(0.5)) {
                SceneObject object = present.get(next++ % present.size());
                parts.add(Part.given(request(object.category(), random)));
                String color = object.tint() == null ? "" : object.tint().name() + " ";
                parts.add(Part.answer(color + Place.of(object.box()).words() + " ;"));
            } else {
                parts.add(Part.given(request(questions.absent(scene, random), random)));
                parts.add(Part.answer("no ;"));
            }
        }
        return new PlainText(inCells ? GridCells.words(scene, NanoText.GRID) : List.of(), parts);
    }

    /** The greater the distance from the name to the question's end, the harder the task; all distances occur. */
    private static String request(Category category, SplitMix64 random) {
        return switch (random.nextInt(4)) {
            case 0 -> category.name() + ":";
            case 1 -> category.withArticle() + "?";
            case 2 -> "Is there " + category.withArticle() + "?";
            default -> "Is there " + category.withArticle() + " in the image?";
        };
    }

    /** Many questions about what a scene shows, with options, each to be answered with a letter: the first that a model learns. */
    PlainText presenceChoices(long index, boolean inChinese) {
        return choices(index, inChinese ? "chinese choices" : "presence choices", PRESENCE, inChinese);
    }

    /** Many questions with options about one scene on all topics, some in Chinese, each to be answered with a letter. */
    PlainText choiceDrill(long index) {
        boolean inChinese =
                SplitMix64.of(seed, "choice drill's language", index).chance(CHINESE_DRILLS);
        return choices(index, "choice drill", TOPICS, inChinese);
    }

    private PlainText choices(long index, String stream, List<Topic> topics, boolean inChinese) {
        SplitMix64 random = SplitMix64.of(seed, stream, index);
        Scene scene = sampler.scene(index);
        List<Part> parts = new ArrayList<>();
        while (parts.size() < 2 * (inChinese ? CHINESE_CHOICES : CHOICES)) {
            Topic topic = random.pick(topics);
            boolean seldom = topic == Topic.COUNT || topic == Topic.ONE_LESS;
            Choice choice = seldom && random.chance(COUNTING_SKIPPED) ? null : choices.ask(topic, scene, random);
            if (choice != null) {
                parts.add(Part.given((inChinese ? choice.letteredInChinese() : choice.lettered()) + "\n"));
                parts.add(Part.answer(choice.letter()));
            }
        }
        return new PlainText(GridCells.words(scene, NanoText.GRID), parts);
    }

    /**
     * Lettered options, then all of them in another order, each to be answered with its letter. A question with options is
     * worth two bits at most and much is to be found out for it; this teaches its last step alone.
     */
    public PlainText optionRecall(long index) {
        SplitMix64 random = SplitMix64.of(seed, "options", index);
        List<Phrase> shuffled = new ArrayList<>(names);
        random.shuffle(shuffled);
        List<Phrase> options = shuffled.subList(0, random.between(MOST_OPTIONS / 2, MOST_OPTIONS));
        boolean inChinese = random.chance(CHINESE_OPTIONS);
        List<Part> asked = new ArrayList<>();
        for (int i = 0; i < options.size(); i++) {
            String letter = Character.toString('A' + i);
            Phrase option = options.get(i);
            asked.add(Part.given(inChinese && random.chance(0.5) ? option.chinese() : option.english()));
            asked.add(Part.answer(letter));
        }
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, options.size()).boxed().toList());
        random.shuffle(order);
        String list = Choice.lettered(
                "Options:",
                options.stream()
                        .map(inChinese ? Phrase::chinese : Phrase::english)
                        .toList());
        List<Part> parts = new ArrayList<>(List.of(Part.given(list + "\n")));
        order.forEach(i -> parts.addAll(asked.subList(2 * i, 2 * i + 2)));
        return new PlainText(List.of(), parts);
    }

    /** Names, each to be answered with its translation into or from Chinese. */
    public PlainText translations(long index) {
        SplitMix64 random = SplitMix64.of(seed, "translations", index);
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < TRANSLATED_NAMES; i++) {
            Phrase name = random.pick(names);
            boolean toChinese = random.chance(0.5);
            parts.add(Part.given((toChinese ? name.english() : name.chinese()) + " ="));
            parts.add(Part.answer((toChinese ? name.chinese() : name.english()) + " ;"));
        }
        return new PlainText(List.of(), parts);
    }

    /** A text for a vocabulary: questions with options, names and the response format, in Chinese. */
    String inChinese(long index) {
        PlainText asked = choices(index, "chinese words", TOPICS, true);
        return Stream.concat(
                        Stream.concat(asked.parts().stream(), translations(index).parts().stream())
                                .map(Part::text),
                        Stream.of(InstructionForms.CHINESE_LETTER))
                .collect(Collectors.joining("\n"));
    }

    /** What options can name: things, colors, places and kinds. */
    private static List<Phrase> names(List<Category> categories) {
        return Stream.of(
                        categories.stream().map(Category::name),
                        NamedColor.TINTS.stream().map(NamedColor::name),
                        Arrays.stream(Place.values()).map(Place::words),
                        Kinds.nouns().stream())
                .flatMap(names -> names)
                .distinct()
                .map(Phrase::of)
                .toList();
    }
}
