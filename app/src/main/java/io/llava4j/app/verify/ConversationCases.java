package io.llava4j.app.verify;

import io.llava4j.LlavaException;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.ImagePlacement;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.Role;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/** The cases of a {@code conversation_cases.json}: conversations, generation prompts and collated batches. */
final class ConversationCases {
    /** For example {@code legacy_false_max2048}. */
    private static final Pattern VARIANT = Pattern.compile("legacy_(true|false)_max(\\d+)");

    private static final String MASKED_WHOLE =
            "the reference masks this sample whole (tokenization mismatch); llava4j labels its answers";

    private final SentencePieceTokenizer tokenizer;
    private final Consumer<CaseResult> out;

    ConversationCases(SentencePieceTokenizer tokenizer, Consumer<CaseResult> out) {
        this.tokenizer = tokenizer;
        this.out = out;
    }

    void run(JsonNode root) {
        root.path("cases").forEach(this::conversation);
        int number = 0;
        for (JsonNode prompt : root.path("prompts")) {
            String row = "prompt %d".formatted(++number);
            guarded(row, () -> prompt(prompt, row));
        }
        for (JsonNode batch : root.path("collator")) {
            guarded("collator", () -> collator(batch, root.path("cases")));
        }
    }

    /** A case that llava4j refuses fails, and the next one still runs. */
    private void guarded(String row, Runnable comparison) {
        try {
            comparison.run();
        } catch (LlavaException e) {
            exact(row, false, String.valueOf(e.getMessage()));
        }
    }

    private void conversation(JsonNode c) {
        String name = c.path("name").stringValue();
        if (c.has("after_preprocess_multimodal") && c.path("has_image").booleanValue()) {
            List<String> placed = turns(c.path("conversations")).stream()
                    .map(turn -> ImagePlacement.imageFirst(turn.text()))
                    .toList();
            List<String> expected = turns(c.path("after_preprocess_multimodal")).stream()
                    .map(Turn::text)
                    .toList();
            exact(name + ": image placement", placed.equals(expected), "got " + placed);
        }
        for (var field : c.properties()) {
            Matcher variant = VARIANT.matcher(field.getKey());
            if (variant.matches()) {
                String row = name + ": " + field.getKey();
                guarded(row, () -> variant(c, row, field.getValue(), variant));
            }
        }
    }

    private void variant(JsonNode c, String row, JsonNode expected, Matcher variant) {
        Prompt prompt = training(c, Boolean.parseBoolean(variant.group(1)), Integer.parseInt(variant.group(2)));
        equal(row + " ids", ReferenceJson.ints(expected.path("input_ids")), prompt.ids());
        int[] labels = ReferenceJson.ints(expected.path("labels"));
        if (expected.path("mismatch_warning_all_masked").booleanValue() && !Arrays.equals(labels, prompt.labels())) {
            out.accept(CaseResult.skipped(TokenizerSuite.NAME, row + " labels", MASKED_WHOLE));
        } else {
            equal(row + " labels", labels, prompt.labels());
        }
    }

    private Prompt training(JsonNode c, boolean legacy, int maxLength) {
        // The reference writes an empty answer as an open request, which llava4j does only when asked.
        return new PromptBuilder(
                        tokenizer.withLegacy(legacy),
                        ConversationTemplate.named(c.path("version").stringValue()))
                .allowingEmptyAnswers()
                .training(turns(c.path("conversations")), c.path("has_image").booleanValue() ? 1 : 0, maxLength);
    }

    private void prompt(JsonNode p, String row) {
        ConversationTemplate template =
                ConversationTemplate.named(p.path("template").stringValue());
        List<Turn> turns = new ArrayList<>();
        boolean open = false;
        for (JsonNode round : p.path("rounds")) {
            turns.add(Turn.human(round.path(0).stringValue()));
            open = round.path(1).isNull();
            if (!open) {
                turns.add(Turn.assistant(round.path(1).stringValue()));
            }
        }
        String text = template.render(turns, open);
        exact(row + " text", text.equals(p.path("prompt").stringValue()), "got " + text);
        PromptBuilder builder = new PromptBuilder(tokenizer, template);
        equal(row + " ids", ReferenceJson.ints(p.path("ids")), builder.encode(text));
        if (p.has("ids_legacy_true")) {
            PromptBuilder legacy = new PromptBuilder(tokenizer.withLegacy(true), template);
            equal(row + " ids_legacy_true", ReferenceJson.ints(p.path("ids_legacy_true")), legacy.encode(text));
        }
    }

    private void collator(JsonNode batch, JsonNode cases) {
        int maxLength = batch.path("model_max_length").intValue();
        for (int row = 0; row < batch.path("cases").size(); row++) {
            String name = batch.path("cases").path(row).stringValue();
            String title = "collated to %d: %s".formatted(maxLength, name);
            JsonNode c = cases.valueStream()
                    .filter(candidate -> name.equals(candidate.path("name").stringValue()))
                    .findFirst()
                    .orElse(null);
            if (c == null) {
                exact(title, false, "there is no case of this name in the file");
                continue;
            }
            Prompt prompt = training(c, false, maxLength).truncated(maxLength);
            int[] ids = ReferenceJson.ints(batch.path("input_ids").path(row));
            int[] padded = padded(prompt.ids(), ids.length, tokenizer.padId());
            equal(title + " ids", ids, padded);
            equal(
                    title + " labels",
                    ReferenceJson.ints(batch.path("labels").path(row)),
                    padded(prompt.labels(), ids.length, Prompt.IGNORE_INDEX));
            equal(
                    title + " attention_mask",
                    ReferenceJson.ints(batch.path("attention_mask").path(row)),
                    Arrays.stream(padded)
                            .map(id -> id == tokenizer.padId() ? 0 : 1)
                            .toArray());
        }
    }

    private static int[] padded(int[] values, int length, int filler) {
        int[] result = Arrays.copyOf(values, Math.max(length, values.length));
        Arrays.fill(result, values.length, result.length, filler);
        return result;
    }

    private static List<Turn> turns(JsonNode conversation) {
        return conversation
                .valueStream()
                .map(turn -> new Turn(
                        turn.path("from").stringValue().equals("human") ? Role.HUMAN : Role.ASSISTANT,
                        turn.path("value").stringValue()))
                .toList();
    }

    private void equal(String row, int[] expected, int[] actual) {
        int shared = Math.min(expected.length, actual.length);
        int at = IntStream.range(0, shared)
                .filter(i -> expected[i] != actual[i])
                .findFirst()
                .orElse(shared);
        exact(
                row,
                Arrays.equals(expected, actual),
                "%d instead of %d numbers, the first difference at %d".formatted(actual.length, expected.length, at));
    }

    private void exact(String row, boolean equal, String detail) {
        out.accept(CaseResult.exact(TokenizerSuite.NAME, row, equal, detail));
    }
}
