package io.llava4j.nano.raw;

import io.llava4j.nano.text.Question;
import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.train.data.raw.QuestionSchemas;
import io.llava4j.train.data.raw.RawWriter;
import java.io.IOException;
import java.util.List;

/** GQA's balanced questions: many about each image, which therefore shows several objects. */
final class GqaSource implements RawSource {
    /** More would not be about existence, which is asked for as often as a scene has categories. */
    static final int QUESTIONS = 8;

    @Override
    public List<SceneOptions> scenes(SceneOptions usual) {
        return List.of(usual.withObjects(3, 5));
    }

    @Override
    public void write(SourceImages images) throws IOException {
        try (RawWriter out = RawWriter.keyed(images.file("gqa/train_balanced_questions.json"))) {
            for (int i = 0; i < images.count(); i++) {
                Scene scene = images.scene(i);
                String image = Integer.toString(images.number(i));
                int number = 0;
                for (Question question : images.ask(scene, QUESTIONS, images.random(i))) {
                    out.add(
                            image + "%02d".formatted(number++),
                            QuestionSchemas.gqaQuestion(
                                    image,
                                    question.text(),
                                    question.answer(),
                                    Wording.sentence("the answer is " + question.answer()),
                                    question.kind().type()));
                }
                images.draw(i, scene, "gqa/images/" + image + ".jpg");
            }
        }
    }
}
