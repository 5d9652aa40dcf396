package io.llava4j.nano.text;

import io.llava4j.nano.text.Question.Kind;
import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SplitMix64;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Questions about the category of an object: the only one, one in a place, one of a group, a neighbour. */
final class CategoryQuestions {
    private CategoryQuestions() {}

    /** A question whose answer is the category of an object; null if the question drawn would be ambiguous. */
    @Nullable
    static Question ask(Scene scene, SplitMix64 random) {
        List<SceneObject> objects = scene.objects();
        SceneObject object = random.pick(objects);
        return switch (random.nextInt(4)) {
            case 0 -> {
                if (objects.size() != 1) {
                    yield null;
                }
                yield named(random.pick(List.of("What is shown in the image?", "What object is this?")), object);
            }
            case 1 -> {
                Place place = Place.of(object.box());
                boolean alone = only(objects, object, other -> place.couldMean(other.box()));
                yield alone && Place.isClear(object.box())
                        ? named("What is " + place.phrase() + " of the image?", object)
                        : null;
            }
            case 2 -> {
                String group = object.category().supercategory();
                boolean alone = only(
                        objects,
                        object,
                        other -> other.category().supercategory().equals(group)
                                && !other.category().equals(object.category()));
                yield alone && Kinds.isNamed(group)
                        ? named("What " + Kinds.of(group).singular() + " is shown in the image?", object)
                        : null;
            }
            default -> neighbour(scene, object, random);
        };
    }

    /** "What is to the left of the cat?", if exactly one object is. */
    private static @Nullable Question neighbour(Scene scene, SceneObject object, SplitMix64 random) {
        int direction = random.nextInt(4);
        List<SceneObject> there = new ArrayList<>();
        for (SceneObject other : scene.objects()) {
            if (other == object) {
                continue;
            }
            boolean sideways = direction < 2;
            int relation = sideways ? Questions.side(other, object) : Questions.height(other, object);
            double distance = sideways
                    ? other.box().centreX() - object.box().centreX()
                    : other.box().centreY() - object.box().centreY();
            int wanted = direction % 2 == 0 ? -1 : 1;
            if (relation == wanted) {
                there.add(other);
            } else if (relation == 0 && distance * wanted > 0) {
                return null;
            }
        }
        if (there.size() != 1 || !Questions.isUnique(scene, object)) {
            return null;
        }
        String words =
                List.of("to the left of", "to the right of", "above", "below").get(direction);
        return named("What is " + words + " the " + object.category().name() + "?", there.getFirst());
    }

    private static Question named(String text, SceneObject object) {
        return new Question(
                Kind.CATEGORY,
                text,
                text,
                object.category().name(),
                List.of(object.category().plural()));
    }

    private static boolean only(List<SceneObject> objects, SceneObject object, Predicate<SceneObject> rival) {
        return objects.stream().noneMatch(other -> other != object && rival.test(other));
    }
}
