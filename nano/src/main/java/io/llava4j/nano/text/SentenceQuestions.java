package io.llava4j.nano.text;

import static io.llava4j.nano.text.SceneConversations.said;

import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.Sign;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.Turn;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Free questions, without a response format, and their answers in sentences. */
final class SentenceQuestions {
    private SentenceQuestions() {}

    /** An exchange; null if the question drawn does not suit the scene. */
    static @Nullable List<Turn> ask(Scene scene, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        String group = object.category().supercategory();
        int count = scene.objects().size();
        Sign sign = scene.sign();
        String background = "The background is " + scene.background().color().name() + ".";
        return switch (random.nextInt(6)) {
            case 0 -> said("Describe the image.", SceneDescriptions.everything(scene) + " " + background);
            case 1 ->
                said(
                        "What is in the picture, and what does the background look like?",
                        SceneDescriptions.everything(scene) + " " + background);
            case 2 -> said("What can you see?", SceneDescriptions.everything(scene));
            case 3 ->
                sign != null
                        ? null
                        : said(
                                "How many objects are there in the image?",
                                "There "
                                        + (count == 1
                                                ? "is one object."
                                                : "are " + Wording.number(count) + " objects."));
            case 4 ->
                !Kinds.isNamed(group) || !Questions.isOnlyOfItsGroup(scene, object)
                        ? null
                        : said(
                                "What " + Kinds.of(group).singular() + " is in the picture?",
                                "There is " + object.category().withArticle() + " in the picture.");
            default ->
                sign == null
                        ? null
                        : said(
                                "What does the sign say, and what else is in the picture?",
                                "The sign says " + SignFont.read(sign.word()) + ". "
                                        + SceneDescriptions.everything(scene.withoutSign()));
        };
    }
}
