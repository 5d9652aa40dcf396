package io.llava4j.nano.benchmark;

import io.llava4j.nano.text.Choice;
import io.llava4j.nano.text.ChoiceQuestions;
import io.llava4j.nano.text.ChoiceQuestions.Topic;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.text.ResponseFormat;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * SEED-Bench: nine types about images, whose ids are whole numbers, and three about videos, whose ids begin with v. Nothing
 * moves in the nano world, so the last three ask about one frame what the types before them ask about images.
 */
final class NanoSeed implements NanoBenchmark {
    private static final String NAME = "seed";
    private static final int PER_TYPE = 10;
    private static final int PER_IMAGE = 3;
    private static final int FIRST_ID = 100_000;
    private static final int VIDEO_TYPES = 10;

    /** Type numbers and names of SEED-Bench with their nano topics; all topics have four options. */
    private record Type(int number, String name, Topic topic) {
        boolean video() {
            return number >= VIDEO_TYPES;
        }
    }

    private static final List<Type> TYPES = List.of(
            new Type(1, "Scene Understanding", Topic.BACKGROUND),
            new Type(2, "Instance Identity", Topic.OBJECT),
            new Type(3, "Instance Attributes", Topic.COLOR),
            new Type(4, "Instance Location", Topic.PLACE),
            new Type(5, "Instances Counting", Topic.COUNT),
            new Type(6, "Spatial Relation", Topic.DIRECTION),
            new Type(7, "Instance Interaction", Topic.NEIGHBOUR),
            new Type(8, "Visual Reasoning", Topic.KIND),
            new Type(9, "Text Understanding", Topic.SIGN),
            new Type(10, "Action Recognition", Topic.OBJECT),
            new Type(11, "Action Prediction", Topic.PLACE),
            new Type(12, "Procedure Understanding", Topic.COUNT));

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        List<Map<String, Object>> questions = new ArrayList<>();
        List<Map<String, Object>> asked = new ArrayList<>();
        write(folder, false, questions, asked);
        write(folder, true, questions, asked);
        Map<String, Object> types = new LinkedHashMap<>();
        TYPES.forEach(type -> types.put(type.name(), type.number()));
        folder.json(NAME + "/SEED-Bench.json", BenchmarkFolder.object("question_type", types, "questions", questions));
        folder.lines(NAME + "/llava-seed-bench.jsonl", asked);
        return Map.of(NAME, asked.size());
    }

    private static void write(
            BenchmarkFolder folder,
            boolean video,
            List<Map<String, Object>> questions,
            List<Map<String, Object>> asked) {
        String name = video ? NAME + " video" : NAME;
        SceneSampler sampler = folder.sampler(name, folder.scenes().withSigns(0.3));
        Map<Topic, Integer> wanted = new EnumMap<>(Topic.class);
        Map<Topic, Type> types = new EnumMap<>(Topic.class);
        TYPES.stream().filter(type -> type.video() == video).forEach(type -> {
            wanted.put(type.topic(), folder.scaled(PER_TYPE));
            types.put(type.topic(), type);
        });
        // A frame belongs to one question because its name contains the type.
        int perScene = video ? 1 : PER_IMAGE;
        int drawn = -1;
        for (ChoiceQuestions.Asked one :
                new ChoiceQuestions(sampler.categories()).ask(sampler, wanted, perScene, i -> folder.random(name, i))) {
            Type type = types.getOrDefault(one.topic(), TYPES.getFirst());
            String id = video ? "v" + questions.size() : Integer.toString(FIRST_ID + questions.size());
            String data = video ? "nano_%04d.mp4".formatted(one.scene()) : "%07d_nano".formatted(one.scene());
            String file = video
                    ? "SEED-Bench-video-image/%d_nano_%04d.png".formatted(type.number(), one.scene())
                    : "SEED-Bench-image/" + data;
            questions.add(record(id, data, type, one.choice()));
            asked.add(BenchmarkFolder.question(
                    video ? id : FIRST_ID + questions.size() - 1, file, text(one.choice()), type.number()));
            if (one.scene() != drawn) {
                drawn = one.scene();
                folder.draw(sampler.scene(drawn), NAME + "/" + file);
            }
        }
    }

    private static String text(Choice choice) {
        return ResponseFormat.LETTER.ask(choice.lettered());
    }

    private static Map<String, Object> record(String id, String data, Type type, Choice choice) {
        Map<String, Object> record = BenchmarkFolder.object("answer", choice.letter());
        for (int i = 0; i < choice.options().size(); i++) {
            record.put("choice_" + (char) ('a' + i), choice.options().get(i).english());
        }
        record.put("data_id", data);
        record.put("data_type", type.video() ? "video" : "image");
        record.put("question", choice.question().english());
        record.put("question_id", id);
        record.put("question_type_id", type.number());
        if (type.video()) {
            record.put("segment", List.of(0.0, 1.0));
        }
        return record;
    }
}
