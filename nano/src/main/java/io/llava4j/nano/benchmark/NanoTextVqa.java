package io.llava4j.nano.benchmark;

import io.llava4j.nano.text.ReadWords;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.ResponseFormat;
import io.llava4j.train.data.raw.QuestionSchemas;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * TextVQA, val 0.5.1: signs, and words that an OCR system read from them.
 */
final class NanoTextVqa implements NanoBenchmark {
    private static final String NAME = "textvqa";
    private static final int IMAGES = 60;
    private static final List<String> CLASSES = List.of("Sign");
    private static final List<String> QUESTIONS =
            List.of("What does the sign say?", "What word is on the sign?", "What is written in the image?");

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        SceneSampler sampler = folder.sampler(NAME, folder.scenes().withSigns(1));
        List<Map<String, Object>> data = new ArrayList<>();
        List<Map<String, Object>> read = new ArrayList<>();
        List<Map<String, Object>> asked = new ArrayList<>();
        for (int i = 0; i < folder.scaled(IMAGES); i++) {
            SplitMix64 random = folder.random(NAME, i);
            Scene scene = sampler.scene(i);
            String word = Objects.requireNonNull(scene.sign()).word();
            String image = "%016x".formatted(random.nextLong());
            List<String> tokens = ReadWords.of(word, random);
            read.add(QuestionSchemas.rosetta(image, tokens));
            List<String> texts = new ArrayList<>(QUESTIONS);
            random.shuffle(texts);
            for (String text : texts.subList(0, random.between(1, 2))) {
                data.add(QuestionSchemas.textVqaQuestion(
                        image, CLASSES, folder.imageSize(), data.size() + 34602, text, SignFont.read(word)));
                asked.add(BenchmarkFolder.question(
                        image,
                        image + ".jpg",
                        ResponseFormat.SHORT.ask(ResponseFormat.withReadText(text, tokens)),
                        "default"));
            }
            folder.draw(scene, NAME + "/train_images/" + image + ".jpg");
        }
        folder.json(
                NAME + "/TextVQA_0.5.1_val.json",
                BenchmarkFolder.object(
                        "dataset_type", "val", "dataset_name", NAME, "dataset_version", "0.5.1", "data", data));
        folder.json(
                NAME + "/TextVQA_Rosetta_OCR_v0.2_val.json",
                BenchmarkFolder.object("dataset_type", "val", "dataset_name", NAME, "data", read));
        folder.lines(NAME + "/llava_textvqa_val_v051_ocr.jsonl", asked);
        return Map.of(NAME, asked.size());
    }
}
