package io.llava4j.nano.benchmark;

import io.llava4j.nano.raw.NanoSplit;
import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.text.ResponseFormat;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** VQAv2, val: four questions about each image, ten answers to each. */
final class NanoVqav2 implements NanoBenchmark {
    private static final String NAME = "vqav2";
    private static final int IMAGES = 270;
    private static final int QUESTIONS = 4;

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        SceneSampler sampler = folder.sampler(NAME, folder.scenes());
        List<Scene> scenes = IntStream.range(0, folder.scaled(IMAGES))
                .mapToObj(sampler::scene)
                .toList();
        NanoSplit.Vqa vqa = folder.split(NAME, sampler, scenes).vqa(QUESTIONS, QuestionShares.DEFAULT);
        folder.json(NAME + "/v2_OpenEnded_mscoco_val2014_questions.json", withHead(vqa.questions()));
        folder.json(NAME + "/v2_mscoco_val2014_annotations.json", withHead(vqa.annotations()));
        List<Map<String, Object>> asked = new ArrayList<>();
        if (vqa.questions().get("questions") instanceof List<?> questions) {
            for (Object question : questions) {
                if (question instanceof Map<?, ?> fields
                        && fields.get("question_id") instanceof Integer id
                        && fields.get("image_id") instanceof Integer image) {
                    asked.add(BenchmarkFolder.question(
                            id,
                            BenchmarkFolder.coco2014(image - 1),
                            ResponseFormat.SHORT.ask(String.valueOf(fields.get("question"))),
                            "default"));
                }
            }
        }
        folder.lines(NAME + "/llava_vqav2_mscoco_val2014.jsonl", asked);
        for (int i = 0; i < scenes.size(); i++) {
            folder.draw(scenes.get(i), NAME + "/val2014/" + BenchmarkFolder.coco2014(i));
        }
        return Map.of(NAME, asked.size());
    }

    private static Map<String, Object> withHead(Map<String, Object> records) {
        Map<String, Object> file = new LinkedHashMap<>();
        file.put("data_type", "mscoco");
        file.put("data_subtype", "val2014");
        file.putAll(records);
        return file;
    }
}
