package io.llava4j.nano.benchmark;

import io.llava4j.nano.text.Choice;
import io.llava4j.nano.text.ChoiceQuestions;
import io.llava4j.nano.text.ChoiceQuestions.Topic;
import io.llava4j.nano.text.Phrase;
import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.Turn;
import io.llava4j.train.data.raw.RawSchemas;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** ScienceQA, test: school problems with two to four choices, with a hint or without; three of four have an image. */
final class NanoScienceQa implements NanoBenchmark {
    private static final String NAME = "scienceqa";
    private static final int PER_LESSON = 16;
    private static final int FIRST_ID = 11;
    private static final String BIOLOGY = "biology";

    /** A school topic with its nano topic and its hint. */
    private record Lesson(Topic topic, String subject, String field, String skill, String hint) {}

    private static final List<Lesson> WITH_IMAGE = List.of(
            new Lesson(Topic.OBJECT, "natural science", BIOLOGY, "Name what you see", "Look at the picture."),
            new Lesson(
                    Topic.KIND,
                    "natural science",
                    BIOLOGY,
                    "Tell kinds of things",
                    "Animals, plants and vehicles are kinds of things."),
            new Lesson(Topic.COLOR, "natural science", "physics", "Name colors", ""),
            new Lesson(Topic.PLACE, "social science", "geography", "Tell directions", ""),
            new Lesson(Topic.COUNT, "natural science", "science-and-engineering-practices", "Count", ""));

    private static final Lesson WITHOUT =
            new Lesson(Topic.KIND, "natural science", BIOLOGY, "Classify animals and plants", "");

    /** The problems as the benchmark has them and as LLaVA's conversations. */
    private record Problems(Map<String, Object> byId, List<Map<String, Object>> conversations) {}

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        Problems problems = new Problems(new LinkedHashMap<>(), new ArrayList<>());
        SceneSampler sampler = folder.sampler(NAME, folder.scenes());
        Map<Topic, Integer> wanted = new EnumMap<>(Topic.class);
        Map<Topic, Lesson> lessons = new EnumMap<>(Topic.class);
        WITH_IMAGE.forEach(lesson -> {
            wanted.put(lesson.topic(), folder.scaled(PER_LESSON));
            lessons.put(lesson.topic(), lesson);
        });
        for (ChoiceQuestions.Asked asked :
                new ChoiceQuestions(sampler.categories()).ask(sampler, wanted, 1, i -> folder.random(NAME, i))) {
            String id = add(problems, lessons.getOrDefault(asked.topic(), WITHOUT), asked.choice(), true);
            folder.draw(sampler.scene(asked.scene()), NAME + "/images/test/" + id + "/image.png");
        }
        for (int i = 0; i < folder.scaled(2 * PER_LESSON); i++) {
            add(problems, WITHOUT, classify(sampler.categories(), folder.random(NAME + " text", i)), false);
        }
        folder.json(NAME + "/problems.json", problems.byId());
        folder.json(
                NAME + "/pid_splits.json",
                BenchmarkFolder.object(
                        "train",
                        List.of(),
                        "val",
                        List.of(),
                        "test",
                        List.copyOf(problems.byId().keySet())));
        folder.json(NAME + "/llava_test_CQM-A.json", problems.conversations());
        return Map.of(NAME, problems.byId().size());
    }

    private static String add(Problems problems, Lesson lesson, Choice choice, boolean withImage) {
        String id = Integer.toString(FIRST_ID + problems.byId().size());
        String image = withImage ? "image.png" : null;
        problems.byId()
                .put(
                        id,
                        BenchmarkFolder.object(
                                "question",
                                choice.question().english(),
                                "choices",
                                choice.options().stream().map(Phrase::english).toList(),
                                "answer",
                                choice.answer(),
                                "hint",
                                lesson.hint(),
                                "image",
                                image,
                                "task",
                                "closed choice",
                                "grade",
                                "grade2",
                                "subject",
                                lesson.subject(),
                                "topic",
                                lesson.field(),
                                "category",
                                lesson.skill(),
                                "skill",
                                lesson.skill(),
                                "lecture",
                                "",
                                "solution",
                                "",
                                "split",
                                "test"));
        String problem = (lesson.hint().isEmpty() ? "" : "Context: " + lesson.hint() + "\n") + choice.lettered();
        problems.conversations()
                .add(RawSchemas.conversation(
                        id,
                        withImage ? id + "/" + image : "",
                        List.of(
                                "human",
                                withImage ? Turn.IMAGE_PLACEHOLDER + "\n" + problem : problem,
                                "gpt",
                                choice.letter())));
        return id;
    }

    /** "Which of these is an animal?", with two to four choices. */
    private static Choice classify(List<Category> categories, SplitMix64 random) {
        Category right = random.pick(categories.stream()
                .filter(category -> Kinds.isNamed(category.supercategory()))
                .toList());
        List<Category> others = new ArrayList<>(categories.stream()
                .filter(category -> !category.supercategory().equals(right.supercategory()))
                .toList());
        random.shuffle(others);
        List<Category> options =
                new ArrayList<>(Stream.concat(Stream.of(right), others.stream().limit(random.between(1, 3)))
                        .toList());
        random.shuffle(options);
        String kind = Kinds.of(right.supercategory()).singular();
        return new Choice(
                new Phrase(
                        "Which of these is " + Wording.withArticle(kind) + "?",
                        "哪一个是" + Phrase.of(kind).chinese() + "？"),
                options.stream().map(category -> Phrase.of(category.name())).toList(),
                options.indexOf(right));
    }
}
