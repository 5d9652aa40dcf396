package io.llava4j.nano.raw;

import io.llava4j.nano.text.Choice;
import io.llava4j.nano.text.ChoiceQuestions;
import io.llava4j.nano.text.Phrase;
import io.llava4j.nano.text.Question;
import io.llava4j.nano.text.Questions;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.train.data.raw.QuestionSchemas;
import io.llava4j.train.data.raw.RawWriter;
import java.io.IOException;
import java.util.List;

/** A-OKVQA: a question with four options about each image. */
final class AOkvqaSource implements RawSource {
    private static final int OPTIONS = 4;

    @Override
    public void write(SourceImages images) throws IOException {
        try (RawWriter out = RawWriter.array(images.file("aokvqa/aokvqa_v1p0_train.json"))) {
            for (int i = 0; i < images.count(); i++) {
                SplitMix64 random = images.random(i);
                Scene scene = images.scene(i);
                int image = images.number(i);
                if (images.allForms()) {
                    Choice choice = choice(images.choices(), scene, random);
                    out.add(QuestionSchemas.aOkvqaQuestion(
                            "nano" + image,
                            image,
                            choice.question().english(),
                            choice.options().stream().map(Phrase::english).toList(),
                            choice.answer()));
                } else {
                    Question question = question(images.questions(), scene, random);
                    List<String> choices = images.conversations().options(question, scene, random);
                    out.add(QuestionSchemas.aOkvqaQuestion(
                            "nano" + image, image, question.text(), choices, choices.indexOf(question.answer())));
                }
                images.draw(i, scene, "coco/train2017/" + images.cocoName(i));
            }
        }
    }

    /** A question with four options about any topic. */
    private static Choice choice(ChoiceQuestions asker, Scene scene, SplitMix64 random) {
        while (true) {
            Choice choice = asker.ask(random.pick(ChoiceQuestions.TOPICS), scene, random);
            if (choice != null && choice.options().size() == OPTIONS) {
                return choice;
            }
        }
    }

    private static Question question(Questions asker, Scene scene, SplitMix64 random) {
        while (true) {
            Question question = switch (random.nextInt(3)) {
                case 0 -> asker.color(scene, random);
                case 1 -> asker.count(scene, random);
                default -> asker.category(scene, random);
            };
            if (question != null) {
                return question;
            }
        }
    }
}
