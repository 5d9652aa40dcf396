package io.llava4j.train.data.mixture;

import io.llava4j.text.ResponseFormat;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Box;
import io.llava4j.train.data.Boxes;
import io.llava4j.train.data.raw.Annotation;
import io.llava4j.train.data.raw.Annotation.Caption;
import io.llava4j.train.data.raw.Annotation.Choice;
import io.llava4j.train.data.raw.Annotation.Question;
import io.llava4j.train.data.raw.Annotation.Region;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * Makes conversations from the annotations of one image, in the layouts of the released mixture
 * (docs/reference/data.md#conversation-layouts). Random decisions depend on seed, source and image alone.
 */
final class Conversations {
    private final long seed;
    private final String source;
    private final ResponseFormat format;
    private final Rules rules;

    /** A question and its answer; for a region, the question is the whole request. */
    private record Pair(String question, String answer) {}

    /** Size of an image in pixels; needed for boxes only. */
    record Size(int width, int height) {}

    Conversations(long seed, String source, ResponseFormat format, Rules rules) {
        this.seed = seed;
        this.source = source;
        this.format = format;
        this.rules = rules;
    }

    /** A question with only the answer that counts; other annotations as they are. Applied early to save memory. */
    Annotation withOneAnswer(Annotation annotation) {
        return annotation instanceof Question question
                ? new Question(question.text(), List.of(answer(question)), null)
                : annotation;
    }

    /**
     * Makes all conversations about one image.
     *
     * @param id of the image
     * @param size of the image
     * @param annotations filtered, of one kind
     */
    List<List<Turn>> of(String id, Size size, List<? extends Annotation> annotations) {
        List<List<Turn>> conversations = new ArrayList<>();
        switch (annotations.getFirst()) {
            case Question first ->
                conversations.addAll(asked(annotations.stream()
                        .map(Question.class::cast)
                        .map(question ->
                                new Pair(question.text(), question.answers().getFirst()))
                        .toList()));
            case Choice first ->
                conversations.addAll(
                        choices(id, annotations.stream().map(Choice.class::cast).toList()));
            case Caption first ->
                conversations.addAll(captions(
                        id, annotations.stream().map(Caption.class::cast).toList()));
            case Region first ->
                conversations.addAll(regions(
                        id, size, annotations.stream().map(Region.class::cast).toList()));
            case Annotation.Dialogue dialogue -> conversations.add(dialogue.turns());
            case Annotation.Chat chat -> throw new IllegalStateException("chats are cleaned elsewhere");
        }
        return conversations;
    }

    private String answer(Question question) {
        String answer = question.answers().isEmpty()
                ? String.valueOf(question.agreed())
                : question.answers().getFirst();
        if (rules.on(Rule.MOST_FREQUENT_ANSWER)) {
            String agreed = question.agreed();
            answer = agreed == null ? mostFrequent(question.answers()) : agreed;
        }
        return rules.on(Rule.CAPITAL_ANSWER) ? capitalised(answer) : answer;
    }

    /** The most frequent answer; among equals, the one that was given first. */
    private static String mostFrequent(List<String> answers) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        answers.forEach(answer -> counts.merge(answer, 1, Integer::sum));
        String best = answers.getFirst();
        for (Map.Entry<String, Integer> entry : counts.entrySet()) {
            if (entry.getValue() > counts.getOrDefault(best, 0)) {
                best = entry.getKey();
            }
        }
        return best;
    }

    private List<List<Turn>> asked(List<Pair> pairs) {
        List<List<Turn>> conversations = new ArrayList<>();
        for (List<Pair> together : merged(pairs)) {
            List<Turn> turns = new ArrayList<>();
            for (Pair pair : together) {
                boolean withPrompt = turns.isEmpty() || !rules.on(Rule.PROMPT_ONCE);
                String question = withPrompt ? format.ask(pair.question()) : pair.question();
                add(turns, question, pair.answer());
            }
            conversations.add(turns);
        }
        return conversations;
    }

    private <T> List<List<T>> merged(List<T> pairs) {
        return rules.on(Rule.MERGE_BY_IMAGE)
                ? List.of(pairs)
                : pairs.stream().map(List::of).toList();
    }

    /** Copy {@code c} of an image holds copy {@code c} of each of its questions with more than {@code c} options. */
    private List<List<Turn>> choices(String id, List<Choice> choices) {
        List<List<Turn>> conversations = new ArrayList<>();
        int copies = rules.on(Rule.REPEAT_BY_OPTIONS)
                ? choices.stream().mapToInt(c -> c.options().size()).max().orElse(1)
                : 1;
        for (int copy = 0; copy < copies; copy++) {
            List<Pair> pairs = new ArrayList<>();
            for (int i = 0; i < choices.size(); i++) {
                if (copy == 0 || copy < choices.get(i).options().size()) {
                    pairs.add(choice(id, choices.get(i), i, copy));
                }
            }
            conversations.addAll(asked(pairs));
        }
        return conversations;
    }

    private Pair choice(String id, Choice choice, int index, int copy) {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < choice.options().size(); i++) {
            order.add(i);
        }
        switch (rules.choice(Rule.OPTION_ORDER)) {
            case "rotate" -> Collections.rotate(order, -copy);
            case "shuffle" -> Collections.shuffle(order, legacy(random("options", id, index + "/" + copy)));
            default -> {
                // kept as annotated
            }
        }
        StringBuilder text = new StringBuilder(choice.text());
        for (int i = 0; i < order.size(); i++) {
            text.append('\n')
                    .append(letter(i))
                    .append(". ")
                    .append(choice.options().get(order.get(i)));
        }
        return new Pair(text.toString(), Character.toString(letter(order.indexOf(choice.correct()))));
    }

    private static char letter(int index) {
        return (char) ('A' + index);
    }

    private List<List<Turn>> captions(String id, List<Caption> captions) {
        List<Caption> used = switch (rules.choice(Rule.CAPTIONS)) {
            case "first" -> captions.subList(0, 1);
            case "each" -> captions;
            default -> List.of(captions.get(random("caption", id).nextInt(captions.size())));
        };
        List<List<Turn>> conversations = new ArrayList<>();
        for (Caption caption : used) {
            String question = format.ask("");
            if (rules.on(Rule.READ_TEXT) && !caption.readText().isEmpty()) {
                question = ResponseFormat.withReadText(question, caption.readText());
            }
            List<Turn> turns = new ArrayList<>();
            add(turns, question, caption.text());
            conversations.add(turns);
        }
        return conversations;
    }

    private List<List<Turn>> regions(String id, Size size, List<Region> all) {
        List<Region> regions = sampled(id, all);
        SplittableRandom random = random("region form", id);
        List<Pair> pairs = new ArrayList<>();
        for (Region region : regions) {
            // Drawn even if the rule does not need it, so that switching the rule changes nothing else.
            boolean describe = random.nextBoolean();
            pairs.add(
                    switch (rules.choice(Rule.REGION_FORM)) {
                        case "describe" -> region(region, size, true);
                        case "locate" -> region(region, size, false);
                        default -> region(region, size, describe);
                    });
        }
        List<List<Turn>> conversations = new ArrayList<>();
        for (List<Pair> together : merged(pairs)) {
            int limit = rules.limit(Rule.MAX_PAIRS);
            int maxPairs = limit == 0 ? together.size() : limit;
            for (int from = 0; from < together.size(); from += maxPairs) {
                List<Turn> turns = new ArrayList<>();
                for (Pair pair : together.subList(from, Math.min(together.size(), from + maxPairs))) {
                    add(turns, pair.question(), pair.answer());
                }
                conversations.add(turns);
            }
        }
        return conversations;
    }

    /** Drawn by the seed, in the file's order. */
    private List<Region> sampled(String id, List<Region> regions) {
        int limit = rules.limit(Rule.MAX_REGIONS);
        if (limit == 0 || regions.size() <= limit) {
            return regions;
        }
        SplittableRandom random = random("regions", id);
        List<Region> kept = new ArrayList<>();
        int wanted = limit;
        for (int i = 0; i < regions.size(); i++) {
            if (random.nextInt(regions.size() - i) < wanted) {
                kept.add(regions.get(i));
                wanted--;
            }
        }
        return kept;
    }

    private Pair region(Region region, Size size, boolean describe) {
        Box box = rules.on(Rule.PADDED_BOXES)
                ? Boxes.onPaddedSquare(
                        size.width(), size.height(), region.x(), region.y(), region.width(), region.height())
                : Boxes.onImage(size.width(), size.height(), region.x(), region.y(), region.width(), region.height());
        String text = Boxes.text(new Box(clipped(box.x1()), clipped(box.y1()), clipped(box.x2()), clipped(box.y2())));
        String phrase = region.phrase().strip();
        return describe
                ? new Pair(
                        ResponseFormat.REGION.about(text), rules.on(Rule.REGION_SENTENCE) ? sentence(phrase) : phrase)
                : new Pair(ResponseFormat.BOX.about(phrase), text);
    }

    /** Clips a coordinate to the image. */
    private static double clipped(double value) {
        return Math.clamp(value, 0.0, 1.0);
    }

    /** Whether a region has an extent and overlaps the image. */
    static boolean isVisible(Region region, Size size) {
        return region.width() > 0
                && region.height() > 0
                && region.x() < size.width()
                && region.y() < size.height()
                && region.x() + region.width() > 0
                && region.y() + region.height() > 0;
    }

    private static String sentence(String phrase) {
        String capital = capitalised(phrase);
        return capital.endsWith(".") ? capital : capital + ".";
    }

    private static String capitalised(String text) {
        return text.substring(0, text.offsetByCodePoints(0, 1)).toUpperCase(Locale.ROOT)
                + text.substring(text.offsetByCodePoints(0, 1));
    }

    private static void add(List<Turn> turns, String question, String answer) {
        turns.add(Turn.human(turns.isEmpty() ? Turn.IMAGE_PLACEHOLDER + "\n" + question : question));
        turns.add(Turn.assistant(answer));
    }

    private SplittableRandom random(String... key) {
        String[] all = new String[key.length + 1];
        all[0] = source;
        System.arraycopy(key, 0, all, 1, key.length);
        return KeyedRandom.random(seed, all);
    }

    private static Random legacy(SplittableRandom random) {
        return Random.from(random);
    }
}
