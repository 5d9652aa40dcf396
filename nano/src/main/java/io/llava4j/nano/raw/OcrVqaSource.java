package io.llava4j.nano.raw;

import io.llava4j.nano.text.Question;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SignFont;
import io.llava4j.train.data.raw.QuestionSchemas;
import io.llava4j.train.data.raw.RawWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** OCR-VQA: book covers: scenes with a sign, whose word is the title; five questions each, as in the real data set. */
final class OcrVqaSource implements RawSource {
    private static final int QUESTIONS = 5;
    private static final int TRAINING = 1;

    @Override
    public List<SceneOptions> scenes(SceneOptions usual) {
        return List.of(usual.withObjects(1, 3).withSigns(1));
    }

    @Override
    public void write(SourceImages images) throws IOException {
        try (RawWriter out = RawWriter.keyed(images.file("ocr_vqa/dataset.json"))) {
            for (int i = 0; i < images.count(); i++) {
                Scene scene = images.scene(i);
                String id = "%010d".formatted(images.number(i));
                List<String> questions = new ArrayList<>();
                List<String> answers = new ArrayList<>();
                for (Question question : images.ask(scene, QUESTIONS, images.random(i))) {
                    questions.add(ofCover(question));
                    answers.add(question.answer());
                }
                String title =
                        SignFont.read(Objects.requireNonNull(scene.sign()).word());
                String genre = scene.objects().getFirst().category().supercategory();
                out.add(id, QuestionSchemas.ocrVqaBook(id, title, "Nano", genre, TRAINING, questions, answers));
                images.draw(i, scene, "ocr_vqa/images/" + id + ".jpg");
            }
        }
    }

    private static String ofCover(Question question) {
        return switch (question.kind()) {
            case TEXT -> "What is the title of this book?";
            case EXISTENCE, VERIFICATION -> question.text().replaceFirst("in the (image|picture)", "on the cover");
            case COUNT, COLOR, POSITION, CATEGORY -> question.text();
        };
    }
}
