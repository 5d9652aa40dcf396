package io.llava4j.nano.benchmark;

import io.llava4j.nano.text.Phrase;
import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.ResponseFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * MME: two questions about each image in fourteen categories, one to be answered yes and one no. Five categories keep
 * images and questions in folders of their own, as in the release. Celebrities, landmarks and code are replaced by
 * what the nano world has: names of things, buildings, a line of code about the image.
 */
final class NanoMme implements NanoBenchmark {
    private static final String NAME = "mme";
    private static final String RELEASE = NAME + "/MME_Benchmark_release_version/";
    private static final String REQUEST = " Please answer yes or no.";
    private static final int IMAGES = 8;

    /** Questions about one image. */
    private record Pair(String yes, String no) {}

    /** Makes a pair; null if the scene allows none. */
    private interface Asker {
        @Nullable
        Pair ask(Scene scene, Questions questions, SplitMix64 random);
    }

    /**
     * A category.
     *
     * @param apart whether images and questions have folders of their own
     * @param sign whether there is a sign in the images
     */
    private record Subtask(String name, boolean apart, boolean sign, Asker asker) {}

    private static final List<Subtask> SUBTASKS = List.of(
            new Subtask("existence", false, false, about("Is there %s in the image?", Category::withArticle)),
            new Subtask("count", false, false, NanoMme::count),
            new Subtask("position", false, false, NanoMme::position),
            new Subtask("color", false, false, NanoMme::color),
            new Subtask("posters", true, true, about("Is there %s on this poster?", Category::withArticle)),
            new Subtask("celebrity", true, false, about("Is there a thing called %s in the image?", Category::name)),
            new Subtask("scene", true, false, NanoMme::scene),
            new Subtask("landmark", true, false, NanoMme::landmark),
            new Subtask("artwork", true, false, NanoMme::artwork),
            new Subtask("OCR", false, true, NanoMme::word),
            new Subtask("commonsense_reasoning", false, false, NanoMme::kind),
            new Subtask("numerical_calculation", false, false, NanoMme::more),
            new Subtask(
                    "text_translation",
                    false,
                    false,
                    about("Is there a thing in the image whose Chinese name is %s?", NanoMme::chinese)),
            new Subtask("code_reasoning", false, false, NanoMme::code));

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        List<Map<String, Object>> asked = new ArrayList<>();
        for (Subtask subtask : SUBTASKS) {
            String stream = NAME + " " + subtask.name();
            SceneSampler sampler = folder.sampler(stream, folder.scenes().withSigns(subtask.sign() ? 1 : 0));
            Questions questions = new Questions(sampler.categories(), QuestionShares.DEFAULT);
            int images = 0;
            for (int i = 0; images < folder.scaled(IMAGES); i++) {
                Scene scene = sampler.scene(i);
                SplitMix64 random = folder.random(stream, i);
                Pair pair = subtask.asker().ask(scene, questions, random);
                if (pair != null) {
                    String stem = "%04d".formatted(++images);
                    String image = subtask.name() + (subtask.apart() ? "/images/" : "/") + stem + ".jpg";
                    folder.draw(scene, RELEASE + image);
                    boolean yesFirst = random.chance(0.5);
                    String yes = pair.yes() + REQUEST + "\tYes\n";
                    String no = pair.no() + REQUEST + "\tNo\n";
                    folder.text(
                            RELEASE + subtask.name() + (subtask.apart() ? "/questions_answers_YN/" : "/") + stem
                                    + ".txt",
                            yesFirst ? yes + no : no + yes);
                    for (String text : yesFirst ? List.of(pair.yes(), pair.no()) : List.of(pair.no(), pair.yes())) {
                        asked.add(
                                BenchmarkFolder.question(image, image, ResponseFormat.SHORT.ask(text), subtask.name()));
                    }
                }
            }
        }
        folder.lines(NAME + "/llava_mme.jsonl", asked);
        return Map.of(NAME, asked.size());
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
