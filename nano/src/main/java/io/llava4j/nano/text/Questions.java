package io.llava4j.nano.text;

import io.llava4j.nano.text.Question.Kind;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.Sign;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Short-answer questions about scenes, true by construction. Ambiguous questions (a box between two fields, "the cat" in
 * a scene with two cats) are not asked.
 */
public final class Questions {
    /** The answer to a question that the image does not answer. */
    public static final String UNANSWERABLE = "unanswerable";

    /** Topic of a question about the background's color. */
    static final String BACKGROUND = "background";

    /** Smallest distance of two centres, as a fraction of the edge, for one to be left of or above the other. */
    private static final double APART = 0.2;

    private final List<Category> categories;
    private final QuestionShares shares;

    /**
     * @param categories that questions may name
     * @param shares frequencies of the kinds of questions
     */
    public Questions(List<Category> categories, QuestionShares shares) {
        this.categories = categories;
        this.shares = shares;
    }

    /**
     * Different questions about one scene; fewer than wanted if the scene does not allow more. A sign is always asked
     * about.
     *
     * @param wanted number of questions
     * @param yes decides the answer of each existence question
     */
    public List<Question> ask(Scene scene, int wanted, BooleanSupplier yes, SplitMix64 random) {
        List<Question> asked = new ArrayList<>();
        Set<String> topics = new HashSet<>();
        Sign sign = scene.sign();
        if (sign != null) {
            asked.add(text(sign, random));
        }
        int existence = 0;
        for (int i = asked.size(); i < wanted; i++) {
            existence += random.chance(shares.existence()) ? 1 : 0;
        }
        for (Question question : existence(scene, existence, yes, random)) {
            if (topics.add(question.topic())) {
                asked.add(question);
            }
        }
        for (int attempt = 0; attempt < 6 * wanted && asked.size() < wanted; attempt++) {
            Question question =
                    switch (random.weighted(shares.count(), shares.color(), shares.position(), shares.category())) {
                        case 0 -> count(scene, random);
                        case 1 -> color(scene, random);
                        case 2 -> position(scene, random);
                        default -> category(scene, random);
                    };
            if (question != null && topics.add(question.topic())) {
                asked.add(question);
            }
        }
        random.shuffle(asked);
        return asked;
    }

    /**
     * Existence questions in POPE's words. In training a fair coin decides each answer, so no answer depends on another.
     * There are at most as many as the scene has categories, so that every answer can be "yes".
     */
    List<Question> existence(Scene scene, int wanted, BooleanSupplier answer, SplitMix64 random) {
        List<Category> present = new ArrayList<>(
                scene.objects().stream().map(SceneObject::category).distinct().toList());
        random.shuffle(present);
        int count = Math.min(wanted, present.size());
        List<Question> questions = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean yes = answer.getAsBoolean();
            Category category = yes ? present.get(i) : absent(scene, random);
            String where = random.pick(List.of("in the image?", "in the image?", "in the image?", "in the picture?"));
            String text = "Is there " + category.withArticle() + " " + where;
            questions.add(new Question(Kind.EXISTENCE, category.name(), text, yes ? "yes" : "no", List.of()));
        }
        return questions;
    }

    /** A category that the scene does not show; with the shares' probability of a supercategory that it shows. */
    public Category absent(Scene scene, SplitMix64 random) {
        Set<Category> present = new HashSet<>();
        Set<String> groups = new HashSet<>();
        for (SceneObject object : scene.objects()) {
            present.add(object.category());
            groups.add(object.category().supercategory());
        }
        boolean near = random.chance(shares.alike());
        List<Category> choice = categories.stream()
                .filter(category -> !present.contains(category))
                .filter(category -> !near || groups.contains(category.supercategory()))
                .toList();
        if (choice.isEmpty()) {
            choice = categories.stream()
                    .filter(category -> !present.contains(category))
                    .toList();
        }
        return random.pick(choice);
    }

    /** How many objects there are, or of a category or group; null if the question drawn would be ambiguous or too easy. */
    @Nullable
    public Question count(Scene scene, SplitMix64 random) {
        List<SceneObject> objects = scene.objects();
        SceneObject example = random.pick(objects);
        return switch (random.nextInt(4)) {
            // People may count a sign, so scenes with one are not asked for all objects.
            case 0, 1 ->
                scene.sign() != null ? null : number("How many objects are there in the image?", objects.size());
            case 2 -> {
                int count = scene.count(example.category().name());
                // Most categories occur once; asking about all of them would make "1" a safe guess.
                yield count == 1 && random.chance(0.6)
                        ? null
                        : number("How many " + example.category().plural() + " are there in the image?", count);
            }
            default -> {
                String group = example.category().supercategory();
                if (!Kinds.isNamed(group)) {
                    yield null;
                }
                int count = (int) objects.stream()
                        .filter(object -> object.category().supercategory().equals(group))
                        .count();
                yield count == 1 && random.chance(0.5)
                        ? null
                        : number("How many " + Kinds.of(group).plural() + " are there in the image?", count);
            }
        };
    }

    private static Question number(String text, int count) {
        return new Question(Kind.COUNT, text, text, Integer.toString(count), List.of(Wording.number(count)));
    }

    /** The color of a tinted object or of the background. */
    @Nullable
    public Question color(Scene scene, SplitMix64 random) {
        List<SceneObject> tinted = scene.objects().stream()
                .filter(object -> object.tint() != null && isUnique(scene, object))
                .toList();
        if (!tinted.isEmpty() && random.chance(0.7)) {
            SceneObject object = random.pick(tinted);
            String name = object.category().name();
            return color(name, "What color is the " + name + "?", Objects.requireNonNull(object.tint()));
        }
        String text = random.pick(List.of("What color is the background?", "What is the background color?"));
        return color(BACKGROUND, text, scene.background().color());
    }

    private static Question color(String of, String text, NamedColor color) {
        List<String> synonyms = color.name().equals("gray") ? List.of("grey") : List.of();
        return new Question(Kind.COLOR, "color of " + of, text, color.name(), synonyms);
    }

    @Nullable
    Question position(Scene scene, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        if (!isUnique(scene, object)) {
            return null;
        }
        String name = object.category().name();
        if (random.chance(0.4)) {
            if (!Place.isClear(object.box())) {
                return null;
            }
            Place place = Place.of(object.box());
            String text = random.pick(List.of(
                    "Where is the " + name + "?",
                    "Where in the image is the " + name + "?",
                    "In which part of the image is the " + name + "?"));
            return new Question(Kind.POSITION, "place of " + name, text, place.words(), synonyms(place));
        }
        SceneObject other = random.pick(scene.objects());
        if (other.category().equals(object.category()) || !isUnique(scene, other)) {
            return null;
        }
        String otherName = other.category().name();
        if (random.chance(0.6)) {
            int side = side(object, other);
            return side == 0
                    ? null
                    : relation(
                            "Is the " + name + " to the left or to the right of the " + otherName + "?",
                            side < 0 ? "left" : "right");
        }
        int height = height(object, other);
        return height == 0
                ? null
                : relation("Is the " + name + " above or below the " + otherName + "?", height < 0 ? "above" : "below");
    }

    private static Question relation(String text, String answer) {
        return new Question(Kind.POSITION, text, text, answer, List.of());
    }

    private static List<String> synonyms(Place place) {
        return switch (place) {
            case TOP_LEFT -> List.of("upper left");
            case TOP_RIGHT -> List.of("upper right");
            case BOTTOM_LEFT -> List.of("lower left");
            case BOTTOM_RIGHT -> List.of("lower right");
            case MIDDLE -> List.of("center");
            case TOP, BOTTOM, LEFT, RIGHT -> List.of();
        };
    }

    /** What an object is; null if the question drawn would be ambiguous. */
    @Nullable
    public Question category(Scene scene, SplitMix64 random) {
        return CategoryQuestions.ask(scene, random);
    }

    static Question text(Sign sign, SplitMix64 random) {
        String text = random.pick(
                List.of("What does the sign say?", "What word is on the sign?", "What is written in the image?"));
        return new Question(Kind.TEXT, "sign", text, SignFont.read(sign.word()), List.of());
    }

    /** Asks about an absent thing or the text of an absent sign. */
    public Question unanswerable(Scene scene, SplitMix64 random) {
        String absent = absent(scene, random).name();
        return switch (random.nextInt(scene.sign() == null ? 3 : 2)) {
            case 0 -> unanswerable(Kind.COLOR, "What color is the " + absent + "?");
            case 1 -> unanswerable(Kind.POSITION, "Where is the " + absent + "?");
            default -> unanswerable(Kind.TEXT, "What does the sign say?");
        };
    }

    private static Question unanswerable(Kind kind, String text) {
        return new Question(kind, text, text, UNANSWERABLE, List.of("unsuitable"));
    }

    /** -1 if the first is clearly left of the second, 1 if right, 0 if neither. */
    public static int side(SceneObject a, SceneObject b) {
        double distance = a.box().centreX() - b.box().centreX();
        boolean distinct = Place.of(a.box()).column() != Place.of(b.box()).column();
        return Math.abs(distance) < APART || !distinct ? 0 : (int) Math.signum(distance);
    }

    /** -1 if the first is clearly above the second, 1 if below, 0 if neither. */
    public static int height(SceneObject a, SceneObject b) {
        double distance = a.box().centreY() - b.box().centreY();
        boolean distinct = Place.of(a.box()).row() != Place.of(b.box()).row();
        return Math.abs(distance) < APART || !distinct ? 0 : (int) Math.signum(distance);
    }

    /** Whether no other object of the scene belongs to the supercategory of this one. */
    public static boolean isOnlyOfItsGroup(Scene scene, SceneObject object) {
        String group = object.category().supercategory();
        return scene.objects().stream()
                .noneMatch(other ->
                        other != object && other.category().supercategory().equals(group));
    }

    /** Whether no other object of the scene has the category of this one. */
    public static boolean isUnique(Scene scene, SceneObject object) {
        return scene.count(object.category().name()) == 1;
    }
}
