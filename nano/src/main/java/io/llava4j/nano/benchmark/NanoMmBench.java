package io.llava4j.nano.benchmark;

import de.siegmar.fastcsv.writer.CsvWriter;
import io.llava4j.nano.text.Choice;
import io.llava4j.nano.text.ChoiceQuestions;
import io.llava4j.nano.text.ChoiceQuestions.Topic;
import io.llava4j.nano.text.Phrase;
import io.llava4j.nano.world.SceneSampler;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * MMBench and MMBench-CN, dev: the same questions in both languages, one row per rotation of the options. Images are inside the tables, in base64.
 */
final class NanoMmBench implements NanoBenchmark {
    private static final String NAME = "mmbench";
    private static final String NAME_CN = "mmbench_cn";
    private static final int ROTATION = 1_000_000;
    private static final List<String> COLUMNS = List.of(
            "index",
            "question",
            "hint",
            "A",
            "B",
            "C",
            "D",
            "answer",
            "category",
            "image",
            "source",
            "l2-category",
            "comment",
            "split");

    private static final int PER_IMAGE = 2;
    private static final int OPTION_COLUMNS = 4;
    private static final Phrase HINT =
            new Phrase("Animals, plants and vehicles are kinds of things.", "动物、植物和交通工具是不同种类的东西。");

    /** An ability of MMBench and how many questions ask for it. */
    private record Ability(Topic topic, String name, String group, int questions) {}

    private static final List<Ability> ABILITIES = List.of(
            new Ability(Topic.OBJECT, "image_topic", "coarse_perception", 6),
            new Ability(Topic.BACKGROUND, "image_scene", "coarse_perception", 4),
            new Ability(Topic.COLOR, "attribute_recognition", "finegrained_perception (instance-level)", 6),
            new Ability(Topic.PLACE, "object_localization", "finegrained_perception (instance-level)", 6),
            new Ability(Topic.SIGN, "ocr", "finegrained_perception (instance-level)", 4),
            new Ability(Topic.SIDE, "spatial_relationship", "finegrained_perception (cross-instance)", 6),
            new Ability(Topic.COUNT, "object_localization", "finegrained_perception (instance-level)", 4),
            new Ability(Topic.NEIGHBOUR, "physical_relation", "relation_reasoning", 4),
            new Ability(Topic.KIND, "identity_reasoning", "attribute_reasoning", 6),
            new Ability(Topic.ONE_LESS, "future_prediction", "logic_reasoning", 4));

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) throws IOException {
        SceneSampler sampler = folder.sampler(NAME, folder.scenes().withSigns(0.3));
        Map<Topic, Integer> wanted = new EnumMap<>(Topic.class);
        Map<Topic, Ability> abilities = new HashMap<>();
        ABILITIES.forEach(ability -> {
            wanted.put(ability.topic(), folder.scaled(ability.questions()));
            abilities.put(ability.topic(), ability);
        });
        ChoiceQuestions questions = new ChoiceQuestions(sampler.categories());
        List<List<String>> english = new ArrayList<>(List.of(COLUMNS));
        List<List<String>> chinese = new ArrayList<>(List.of(COLUMNS));
        int group = 0;
        for (ChoiceQuestions.Asked asked : questions.ask(sampler, wanted, PER_IMAGE, i -> folder.random(NAME, i))) {
            Ability ability = abilities.getOrDefault(asked.topic(), ABILITIES.getFirst());
            String image = Base64.getEncoder().encodeToString(folder.image(sampler.scene(asked.scene()), "jpg"));
            group++;
            for (int k = 0; k < asked.choice().options().size(); k++) {
                Choice choice = asked.choice().rotated(k);
                int index = group + k * ROTATION;
                english.add(row(index, choice, ability, image, Phrase::english));
                chinese.add(row(index, choice, ability, image, Phrase::chinese));
            }
        }
        folder.text(NAME + "/mmbench_dev_20230712.tsv", table(english));
        folder.text(NAME_CN + "/mmbench_dev_cn_20231003.tsv", table(chinese));
        return new TreeMap<>(Map.of(NAME, english.size() - 1, NAME_CN, chinese.size() - 1));
    }

    private static List<String> row(
            int index, Choice choice, Ability ability, String image, Function<Phrase, String> language) {
        List<String> row = new ArrayList<>();
        row.add(Integer.toString(index));
        row.add(language.apply(choice.question()));
        row.add(ability.topic() == Topic.KIND ? language.apply(HINT) : "");
        for (int i = 0; i < OPTION_COLUMNS; i++) {
            row.add(
                    i < choice.options().size()
                            ? language.apply(choice.options().get(i))
                            : "");
        }
        row.addAll(List.of(choice.letter(), ability.name(), image, "nano", ability.group(), "", "dev"));
        return row;
    }

    private static String table(List<List<String>> rows) throws IOException {
        StringWriter text = new StringWriter();
        try (CsvWriter csv = CsvWriter.builder().fieldSeparator('\t').build(text)) {
            rows.forEach(csv::writeRecord);
        }
        return text.toString();
    }
}
