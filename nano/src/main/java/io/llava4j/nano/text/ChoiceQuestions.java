package io.llava4j.nano.text;

import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.Sign;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Makes questions with lettered options about scenes, in English and Chinese; the answers follow from the scenes. */
public final class ChoiceQuestions {
    private static final int OPTIONS = 4;
    private static final int MOST_OBJECTS = 5;

    private final Questions questions;

    /** @param categories what can be named */
    public ChoiceQuestions(List<Category> categories) {
        this.questions = new Questions(categories, QuestionShares.DEFAULT);
    }

    /** What a question is about. */
    public enum Topic {
        BACKGROUND,
        OBJECT,
        /** Which of the options the image shows; an exercise. */
        PRESENT,
        COLOR,
        PLACE,
        COUNT,
        /** Two options. */
        SIDE,
        /** Four options. */
        DIRECTION,
        NEIGHBOUR,
        KIND,
        SIGN,
        ONE_LESS
    }

    /** Topics of benchmarks and instructions: all but the one that only exercises have. */
    public static final List<Topic> TOPICS =
            Stream.of(Topic.values()).filter(topic -> topic != Topic.PRESENT).toList();

    /** A question about a scene. */
    public record Asked(Topic topic, int scene, Choice choice) {}

    /**
     * Questions about the scenes of a sampler, from the first on.
     *
     * @param wanted number of questions per topic
     * @param perScene maximum number of questions about one scene
     * @param generators random numbers for the questions about a scene, by its index
     * @return in the order of scenes
     */
    public List<Asked> ask(
            SceneSampler sampler, Map<Topic, Integer> wanted, int perScene, LongFunction<SplitMix64> generators) {
        Map<Topic, Integer> open = new LinkedHashMap<>(wanted);
        List<Asked> asked = new ArrayList<>();
        for (int i = 0; open.values().stream().anyMatch(count -> count > 0); i++) {
            Scene scene = sampler.scene(i);
            SplitMix64 random = generators.apply(i);
            List<Topic> topics = new ArrayList<>(open.keySet());
            random.shuffle(topics);
            // The topics with the most open questions come first, so that questions share images until the end.
            topics.sort((a, b) -> Integer.compare(open.getOrDefault(b, 0), open.getOrDefault(a, 0)));
            int about = 0;
            for (Topic topic : topics) {
                Choice choice = about < perScene && open.getOrDefault(topic, 0) > 0 ? ask(topic, scene, random) : null;
                if (choice != null) {
                    asked.add(new Asked(topic, i, choice));
                    open.merge(topic, -1, Integer::sum);
                    about++;
                }
            }
        }
        return asked;
    }

    /** A question, or null if the scene allows none with one certain answer. */
    public @Nullable Choice ask(Topic topic, Scene scene, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        SceneObject other = random.pick(scene.objects());
        Phrase name = Phrase.of(object.category().name());
        Phrase otherName = Phrase.of(other.category().name());
        boolean unique = Questions.isUnique(scene, object);
        boolean pair =
                unique && Questions.isUnique(scene, other) && !object.category().equals(other.category());
        return switch (topic) {
            case BACKGROUND ->
                choice(
                        new Phrase("What color is the background?", "背景是什么颜色的？"),
                        Phrase.of(scene.background().color().name()),
                        colors(NamedColor.BACKGROUNDS, random),
                        random);
            case OBJECT ->
                scene.objects().size() > 1
                        ? null
                        : choice(
                                new Phrase("What is shown in the image?", "图片中是什么？"),
                                name,
                                absent(scene, random),
                                random);
            case PRESENT ->
                choice(new Phrase("Which of these is in the image?", "图片中有哪一个？"), name, absent(scene, random), random);
            case COLOR ->
                object.tint() == null || !unique
                        ? null
                        : choice(
                                asked("What color is the %s?", "%s是什么颜色的？", name),
                                Phrase.of(object.tint().name()),
                                colors(NamedColor.TINTS, random),
                                random);
            case PLACE ->
                !unique || !Place.isClear(object.box())
                        ? null
                        : choice(
                                asked("Where is the %s?", "%s在图片的哪个位置？", name),
                                Phrase.of(Place.of(object.box()).words()),
                                shuffled(
                                        Stream.of(Place.values())
                                                .filter(place -> !place.couldMean(object.box()))
                                                .map(place -> Phrase.of(place.words())),
                                        random),
                                random);
            case COUNT ->
                scene.sign() != null
                        ? null
                        : number(
                                new Phrase("How many objects are there in the image?", "图片中有几个物体？"),
                                scene.objects().size(),
                                random);
            case ONE_LESS ->
                scene.sign() != null
                        ? null
                        : number(
                                new Phrase(
                                        "If one object is taken away, how many objects are left?", "如果拿走一个物体，还剩几个物体？"),
                                scene.objects().size() - 1,
                                random);
            case SIDE -> pair ? side(object, name, other, otherName) : null;
            case DIRECTION -> pair ? direction(object, name, other, otherName, random) : null;
            case NEIGHBOUR -> pair ? neighbour(scene, object, name, other, otherName, random) : null;
            case KIND ->
                Kinds.isNamed(object.category().supercategory())
                        ? choice(
                                asked("What kind of thing is the %s?", "%s是哪一类东西？", name),
                                Phrase.of(Kinds.of(object.category().supercategory())
                                        .singular()),
                                shuffled(Kinds.nouns().stream().map(Phrase::of), random),
                                random)
                        : null;
            case SIGN -> {
                Sign sign = scene.sign();
                yield sign == null
                        ? null
                        : choice(
                                new Phrase("What word is on the sign?", "牌子上写的是哪个单词？"),
                                Phrase.same(SignFont.read(sign.word())),
                                shuffled(SignFont.WORDS.stream().map(word -> Phrase.same(SignFont.read(word))), random),
                                random);
            }
        };
    }

    private static @Nullable Choice side(SceneObject object, Phrase name, SceneObject other, Phrase otherName) {
        int side = Questions.side(object, other);
        if (side != 0) {
            return new Choice(
                    new Phrase(
                            "Is the %s to the left or to the right of the %s?"
                                    .formatted(name.english(), otherName.english()),
                            "%s在%s的左边还是右边？".formatted(name.chinese(), otherName.chinese())),
                    List.of(Phrase.of("left"), Phrase.of("right")),
                    side < 0 ? 0 : 1);
        }
        int height = Questions.height(object, other);
        return height == 0
                ? null
                : new Choice(
                        new Phrase(
                                "Is the %s above or below the %s?".formatted(name.english(), otherName.english()),
                                "%s在%s的上面还是下面？".formatted(name.chinese(), otherName.chinese())),
                        List.of(Phrase.of("above"), Phrase.of("below")),
                        height < 0 ? 0 : 1);
    }

    private static @Nullable Choice direction(
            SceneObject object, Phrase name, SceneObject other, Phrase otherName, SplitMix64 random) {
        int side = Questions.side(object, other);
        int height = Questions.height(object, other);
        if ((side == 0) == (height == 0)) {
            return null;
        }
        String truth = side != 0 ? side < 0 ? "left" : "right" : height < 0 ? "above" : "below";
        return choice(
                new Phrase(
                        "Where is the %s, seen from the %s?".formatted(name.english(), otherName.english()),
                        "从%s看，%s在哪一边？".formatted(otherName.chinese(), name.chinese())),
                Phrase.of(truth),
                shuffled(Stream.of("left", "right", "above", "below").map(Phrase::of), random),
                random);
    }

    /** Asks for the only object on one side of another. Wrong options are first the scene's other objects, then absent ones. */
    private @Nullable Choice neighbour(
            Scene scene, SceneObject object, Phrase name, SceneObject other, Phrase otherName, SplitMix64 random) {
        int side = Questions.side(other, object);
        List<Phrase> wrong = new ArrayList<>();
        for (SceneObject third : scene.objects()) {
            if (third != object && third != other) {
                boolean doubtful = Questions.side(third, object) == side || Questions.side(third, object) == 0;
                if (doubtful || third.category().equals(other.category())) {
                    return null;
                }
                wrong.add(Phrase.of(third.category().name()));
            }
        }
        if (side == 0) {
            return null;
        }
        wrong.addAll(absent(scene, random));
        String where = side < 0 ? "left" : "right";
        return choice(
                new Phrase(
                        "What is to the %s of the %s?".formatted(where, name.english()),
                        "%s的%s是什么？".formatted(name.chinese(), Phrase.of(where).chinese())),
                otherName,
                wrong,
                random);
    }

    private static Phrase asked(String english, String chinese, Phrase about) {
        return new Phrase(english.formatted(about.english()), chinese.formatted(about.chinese()));
    }

    private static List<Phrase> colors(List<NamedColor> colors, SplitMix64 random) {
        return shuffled(colors.stream().map(color -> Phrase.of(color.name())), random);
    }

    private List<Phrase> absent(Scene scene, SplitMix64 random) {
        List<Phrase> absent = new ArrayList<>();
        while (absent.size() < OPTIONS) {
            Phrase name = Phrase.of(questions.absent(scene, random).name());
            if (!absent.contains(name)) {
                absent.add(name);
            }
        }
        return absent;
    }

    private static Choice number(Phrase question, int truth, SplitMix64 random) {
        return choice(
                question,
                Phrase.same(Integer.toString(truth)),
                shuffled(
                        Stream.iterate(0, n -> n <= MOST_OBJECTS, n -> n + 1)
                                .map(n -> Phrase.same(Integer.toString(n))),
                        random),
                random);
    }

    private static List<Phrase> shuffled(Stream<Phrase> phrases, SplitMix64 random) {
        List<Phrase> list = new ArrayList<>(phrases.toList());
        random.shuffle(list);
        return list;
    }

    /** The right option and the first three different others, in random order. */
    private static Choice choice(Phrase question, Phrase truth, List<Phrase> others, SplitMix64 random) {
        List<Phrase> options = new ArrayList<>(List.of(truth));
        for (Phrase other : others) {
            if (options.size() < OPTIONS && !options.contains(other)) {
                options.add(other);
            }
        }
        random.shuffle(options);
        return new Choice(question, options, options.indexOf(truth));
    }
}
