package io.llava4j.nano.text;

import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Two questions about a scene, of which one is to be answered yes and one no, as MME asks them. */
public final class YesNoQuestions {
    private YesNoQuestions() {}

    /** Questions about one image. */
    public record Pair(String yes, String no) {}

    /** What a pair asks about. */
    public enum Subject {
        EXISTENCE(about("Is there %s in the image?", Category::withArticle)),
        COUNT(YesNoQuestions::count),
        POSITION(YesNoQuestions::position),
        COLOR(YesNoQuestions::color),
        POSTER(about("Is there %s on this poster?", Category::withArticle)),
        NAME(about("Is there a thing called %s in the image?", Category::name)),
        BACKGROUND(YesNoQuestions::scene),
        BUILDING(YesNoQuestions::landmark),
        ARTWORK(YesNoQuestions::artwork),
        /** Scenes with a sign only. */
        WORD(YesNoQuestions::word),
        KIND(YesNoQuestions::kind),
        MORE(YesNoQuestions::more),
        TRANSLATION(about("Is there a thing in the image whose Chinese name is %s?", YesNoQuestions::chinese)),
        CODE(YesNoQuestions::code);

        private final Asker asker;

        Subject(Asker asker) {
            this.asker = asker;
        }

        /**
         * A pair.
         *
         * @param questions choose what is absent
         * @return null if the scene allows none
         */
        public @Nullable Pair ask(Scene scene, Questions questions, SplitMix64 random) {
            return asker.ask(scene, questions, random);
        }
    }

    private interface Asker {
        @Nullable
        Pair ask(Scene scene, Questions questions, SplitMix64 random);
    }

    /** Asks about a present and an absent thing. */
    private static Asker about(String question, Function<Category, String> name) {
        return (scene, questions, random) -> new Pair(
                question.formatted(name.apply(random.pick(scene.objects()).category())),
                question.formatted(name.apply(questions.absent(scene, random))));
    }

    private static String chinese(Category category) {
        return Phrase.of(category.name()).chinese();
    }

    private static Pair count(Scene scene, Questions questions, SplitMix64 random) {
        return number("Is the number of objects in the image %d?", scene, random);
    }

    private static Pair code(Scene scene, Questions questions, SplitMix64 random) {
        return number("With the objects in the image, does the code print(len(objects)) print %d?", scene, random);
    }

    private static Pair number(String question, Scene scene, SplitMix64 random) {
        int truth = scene.objects().size();
        int wrong = truth + random.between(1, 2) * (truth > 2 && random.chance(0.5) ? -1 : 1);
        return new Pair(question.formatted(truth), question.formatted(wrong));
    }

    private static Pair more(Scene scene, Questions questions, SplitMix64 random) {
        int count = scene.objects().size();
        String question = "Are there more than %d objects in the image?";
        return new Pair(question.formatted(count - 1), question.formatted(count));
    }

    private static @Nullable Pair position(Scene scene, Questions questions, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        SceneObject other = random.pick(scene.objects());
        int side = Questions.side(object, other);
        if (side == 0 || !Questions.isUnique(scene, object) || !Questions.isUnique(scene, other)) {
            return null;
        }
        String question = "Is the %s to the %s of the %s?";
        String name = object.category().name();
        String otherName = other.category().name();
        return new Pair(
                question.formatted(name, side < 0 ? "left" : "right", otherName),
                question.formatted(name, side < 0 ? "right" : "left", otherName));
    }

    private static @Nullable Pair color(Scene scene, Questions questions, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        NamedColor tint = object.tint();
        String question = "Is the color of the %s %s?";
        String name = object.category().name();
        return tint == null || !Questions.isUnique(scene, object)
                ? null
                : new Pair(
                        question.formatted(name, tint.name()),
                        question.formatted(name, another(NamedColor.TINTS, tint, random)));
    }

    private static Pair scene(Scene scene, Questions questions, SplitMix64 random) {
        NamedColor color = scene.background().color();
        String question = "Is the background of the image %s?";
        return new Pair(
                question.formatted(color.name()), question.formatted(another(NamedColor.BACKGROUNDS, color, random)));
    }

    private static String another(List<NamedColor> colors, NamedColor than, SplitMix64 random) {
        return random.pick(colors.stream()
                        .filter(color -> !color.name().equals(than.name()))
                        .toList())
                .name();
    }

    private static @Nullable Pair landmark(Scene scene, Questions questions, SplitMix64 random) {
        List<Category> buildings = scene.objects().stream()
                .map(SceneObject::category)
                .filter(category -> category.supercategory().equals("building"))
                .toList();
        if (buildings.isEmpty()) {
            return null;
        }
        Category absent = questions.absent(scene, random);
        while (!absent.supercategory().equals("building")) {
            absent = questions.absent(scene, random);
        }
        String question = "Is there a building in the image that is %s?";
        return new Pair(
                question.formatted(random.pick(buildings).withArticle()), question.formatted(absent.withArticle()));
    }

    private static @Nullable Pair artwork(Scene scene, Questions questions, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        NamedColor tint = object.tint();
        String question = "Is there a drawing of %s in the image?";
        return tint == null || !Questions.isUnique(scene, object)
                ? null
                : new Pair(
                        question.formatted(Wording.phrase(object)),
                        question.formatted(Wording.withArticle(another(NamedColor.TINTS, tint, random) + " "
                                + object.category().name())));
    }

    private static Pair word(Scene scene, Questions questions, SplitMix64 random) {
        String word = Objects.requireNonNull(scene.sign()).word();
        String other = random.pick(
                SignFont.WORDS.stream().filter(one -> !one.equals(word)).toList());
        String question = "Is the word on the sign \"%s\"?";
        return new Pair(question.formatted(SignFont.read(word)), question.formatted(SignFont.read(other)));
    }

    private static @Nullable Pair kind(Scene scene, Questions questions, SplitMix64 random) {
        List<String> present = scene.objects().stream()
                .map(object -> object.category().supercategory())
                .filter(Kinds::isNamed)
                .map(group -> Kinds.of(group).singular())
                .distinct()
                .toList();
        List<String> absent =
                Kinds.nouns().stream().filter(noun -> !present.contains(noun)).toList();
        String question = "Is there %s in the image?";
        return present.isEmpty()
                ? null
                : new Pair(
                        question.formatted(Wording.withArticle(random.pick(present))),
                        question.formatted(Wording.withArticle(random.pick(absent))));
    }
}
