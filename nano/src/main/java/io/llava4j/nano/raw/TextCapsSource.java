package io.llava4j.nano.raw;

import io.llava4j.nano.text.Captions;
import io.llava4j.nano.text.ReadWords;
import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.train.data.raw.QuestionSchemas;
import io.llava4j.train.data.raw.RawWriter;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** TextCaps: five captions of an image with a sign, and its word as an OCR token of Rosetta. */
final class TextCapsSource implements RawSource {
    private static final int CAPTIONS = 5;

    @Override
    public List<SceneOptions> scenes(SceneOptions usual) {
        return List.of(usual.withObjects(1, 3).withSigns(1));
    }

    @Override
    public void write(SourceImages images) throws IOException {
        try (RawWriter captions = RawWriter.field(
                        images.file("textcaps/TextCaps_0.1_train.json"), Map.of("dataset_type", "train"), "data");
                RawWriter words = RawWriter.field(
                        images.file("textcaps/TextVQA_Rosetta_OCR_v0.2_train.json"),
                        Map.of("dataset_name", "rosetta"),
                        "data")) {
            for (int i = 0; i < images.count(); i++) {
                SplitMix64 random = images.random(i);
                Scene scene = images.scene(i);
                String image = "%016x".formatted(images.number(i));
                List<String> said = Stream.generate(() -> Wording.sentence(Captions.caption(scene, random)))
                        .limit(CAPTIONS)
                        .toList();
                for (int k = 0; k < said.size(); k++) {
                    captions.add(QuestionSchemas.textCapsCaption(
                            image, images.size(), images.number(i) * 10 + k, said.get(k), said));
                }
                String word = Objects.requireNonNull(scene.sign()).word();
                words.add(QuestionSchemas.rosetta(
                        image, images.allForms() ? ReadWords.of(word, random) : List.of(SignFont.read(word))));
                images.draw(i, scene, "textvqa/train_images/" + image + ".jpg");
            }
        }
    }
}
