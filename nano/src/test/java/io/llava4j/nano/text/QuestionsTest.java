package io.llava4j.nano.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.nano.text.Question.Kind;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.Extent;
import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.nano.world.Sprites;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class QuestionsTest {
    private static final Pattern EXISTENCE = Pattern.compile("Is there an? (.+) in the (image|picture)\\?");
    private static final Pattern SIDE = Pattern.compile("Is the (.+) to the left or to the right of the (.+)\\?");
    private static final Pattern HEIGHT = Pattern.compile("Is the (.+) above or below the (.+)\\?");
    private static final Pattern COUNT = Pattern.compile("How many (.+) are there in the image\\?");
    private static final Pattern WHERE = Pattern.compile("(?:Where|In which part).* the ([a-z ]+)\\?");

    private static SceneSampler sampler;
    private static Questions questions;

    @BeforeAll
    static void load() {
        Sprites sprites = new Sprites(Drawings.load());
        sampler =
                new SceneSampler(sprites, SceneOptions.scenes(sprites.drawings().trainingSets()), 21);
        questions = new Questions(sampler.categories(), QuestionShares.DEFAULT);
    }

    @Test
    void everyAnswerIsTrueForTheScene() {
        Map<Kind, Integer> asked = new EnumMap<>(Kind.class);
        for (int i = 0; i < 2000; i++) {
            Scene scene = sampler.scene(i);
            for (Question question : ask(scene)) {
                asked.merge(question.kind(), 1, Integer::sum);
                assertThat(isTrue(question, scene))
                        .as("scene %d: %s %s", i, question.text(), question.answer())
                        .isTrue();
            }
        }
        assertThat(asked.keySet()).isEqualTo(EnumSet.complementOf(EnumSet.of(Kind.VERIFICATION)));
        int total = asked.values().stream().mapToInt(Integer::intValue).sum();
        assertThat(asked.getOrDefault(Kind.EXISTENCE, 0) / (double) total).isCloseTo(0.4, within(0.04));
    }

    @Test
    void yesAndNoAreBalancedAndHalfOfTheAbsentObjectsAreRelated() {
        int yes = 0;
        int no = 0;
        int related = 0;
        for (int i = 0; i < 5000; i++) {
            Scene scene = sampler.scene(i);
            for (Question question : ask(scene)) {
                if (question.kind() == Kind.EXISTENCE) {
                    if (question.answer().equals("yes")) {
                        yes++;
                    } else {
                        no++;
                        related += isRelated(question.topic(), scene) ? 1 : 0;
                    }
                }
            }
        }
        assertThat(yes / (double) (yes + no)).isCloseTo(0.5, within(0.02));
        // Half are chosen so, and some of the others are by chance.
        assertThat(related / (double) no).isBetween(0.5, 0.75);
    }

    @Test
    void topicIsAskedOnceAndSignAlways() {
        for (int i = 0; i < 1000; i++) {
            Scene scene = sampler.scene(i);
            List<Question> asked = ask(scene);
            assertThat(asked.stream().map(Question::topic)).doesNotHaveDuplicates();
            assertThat(asked.stream().anyMatch(question -> question.kind() == Kind.TEXT))
                    .isEqualTo(scene.sign() != null);
        }
    }

    private static List<Question> ask(Scene scene) {
        SplitMix64 random = SplitMix64.of(5, "test", scene.index());
        return questions.ask(scene, 5, () -> random.chance(0.5), random);
    }

    private static boolean isRelated(String absent, Scene scene) {
        String group = sampler.categories().stream()
                .filter(category -> category.name().equals(absent))
                .findFirst()
                .orElseThrow()
                .supercategory();
        return scene.objects().stream()
                .anyMatch(object -> object.category().supercategory().equals(group));
    }

    private static boolean isTrue(Question question, Scene scene) {
        String answer = question.answer();
        return switch (question.kind()) {
            case EXISTENCE -> scene.count(group(EXISTENCE, question, 1)) > 0 == answer.equals("yes");
            case COUNT ->
                Integer.toString(count(group(COUNT, question, 1), scene)).equals(answer);
            case COLOR ->
                question.topic().endsWith(Questions.BACKGROUND)
                        ? scene.background().color().name().equals(answer)
                        : question.topic()
                                        .contains(only(scene, question.text())
                                                .category()
                                                .name())
                                && answer.equals(tint(only(scene, question.text())));
            case POSITION -> position(question, scene);
            case CATEGORY -> scene.count(answer) > 0;
            case TEXT -> scene.sign() != null && scene.sign().word().equalsIgnoreCase(answer);
            case VERIFICATION -> throw new IllegalStateException("Questions asks none");
        };
    }

    private static boolean position(Question question, Scene scene) {
        Extent first;
        return switch (question.answer()) {
            case "left", "right" -> {
                Matcher relation = SIDE.matcher(question.text());
                boolean left = question.answer().equals("left");
                if (relation.matches()) {
                    first = named(scene, relation.group(1)).box();
                    yield first.centreX()
                                    < named(scene, relation.group(2)).box().centreX()
                            == left;
                }
                first = named(scene, group(WHERE, question, 1)).box();
                yield left ? first.centreX() < 0.4 : first.centreX() > 0.6;
            }
            case "above", "below" -> {
                first = named(scene, group(HEIGHT, question, 1)).box();
                Extent second = named(scene, group(HEIGHT, question, 2)).box();
                yield first.centreY() < second.centreY() == question.answer().equals("above");
            }
            default -> {
                first = named(scene, group(WHERE, question, 1)).box();
                yield (question.answer().contains("top") == first.centreY() < 0.4)
                        && (question.answer().contains("bottom") == first.centreY() > 0.6)
                        && (question.answer().contains("left") == first.centreX() < 0.4)
                        && (question.answer().contains("right") == first.centreX() > 0.6);
            }
        };
    }

    private static int count(String what, Scene scene) {
        if (what.equals("objects")) {
            return scene.objects().size();
        }
        return (int) scene.objects().stream()
                .map(SceneObject::category)
                .filter(category -> category.plural().equals(what)
                        || Kinds.isNamed(category.supercategory())
                                && Kinds.of(category.supercategory()).plural().equals(what))
                .count();
    }

    private static String group(Pattern pattern, Question question, int group) {
        Matcher matcher = pattern.matcher(question.text());
        assertThat(matcher.matches()).as(question.text()).isTrue();
        return matcher.group(group);
    }

    private static String tint(SceneObject object) {
        return object.tint() == null ? "" : object.tint().name();
    }

    private static SceneObject named(Scene scene, String name) {
        return scene.objects().stream()
                .filter(object -> object.category().name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** The object that "What color is the X?" asks about; there may be no other of its category. */
    private static SceneObject only(Scene scene, String text) {
        String name = text.substring("What color is the ".length(), text.length() - 1);
        assertThat(scene.count(name)).isEqualTo(1);
        return named(scene, name);
    }
}
