package io.llava4j.nano.raw;

import io.llava4j.nano.text.Annotators;
import io.llava4j.nano.text.Question;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.train.data.raw.QuestionSchemas;
import io.llava4j.train.data.raw.RawSchemas;
import io.llava4j.train.data.raw.RawWriter;
import java.io.IOException;
import java.util.Map;

/**
 * VQAv2 and OKVQA: short questions with the answers of ten people.
 *
 * @param folder of the files
 * @param questionFile name of the questions' file
 * @param annotationFile name of the answers' file
 * @param min smallest number of questions about an image
 * @param max largest number of questions about an image
 * @param agreed whether the file has the most frequent answer
 */
record VqaSource(String folder, String questionFile, String annotationFile, int min, int max, boolean agreed)
        implements RawSource {
    /** 443,757 questions about 82,783 images. */
    static final VqaSource VQAV2 = new VqaSource(
            "vqav2",
            "v2_OpenEnded_mscoco_train2014_questions.json",
            "v2_mscoco_train2014_annotations.json",
            4,
            7,
            true);
    /** 9,009 questions about 8,998 images. */
    static final VqaSource OKVQA = new VqaSource(
            "okvqa", "OpenEnded_mscoco_train2014_questions.json", "mscoco_train2014_annotations.json", 1, 1, false);

    @Override
    public void write(SourceImages images) throws IOException {
        // A map with a fixed order: Map.of has another order in every process.
        Map<String, ?> head = RawSchemas.ordered("data_subtype", "train2014", "data_type", "mscoco");
        try (RawWriter questions = RawWriter.field(images.file(folder + "/" + questionFile), head, "questions");
                RawWriter annotations =
                        RawWriter.field(images.file(folder + "/" + annotationFile), head, "annotations")) {
            for (int i = 0; i < images.count(); i++) {
                SplitMix64 random = images.random(i);
                Scene scene = images.scene(i);
                int image = images.number(i);
                int id = image * 10;
                for (Question question : images.ask(scene, random.between(min, max), random)) {
                    questions.add(QuestionSchemas.vqaQuestion(id, image, question.text()));
                    annotations.add(QuestionSchemas.vqaAnnotation(
                            id++,
                            image,
                            question.kind().type(),
                            question.answerType(),
                            agreed ? question.answer() : "",
                            Annotators.answers(question, random)));
                }
                images.draw(i, scene, "coco/train2017/" + images.cocoName(i));
            }
        }
    }
}
