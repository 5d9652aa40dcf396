package io.llava4j.train.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A conversation's own system prompt takes the place of the template's, whatever the shape of the record. */
class SystemPromptTest {
    private static final Path VOCABULARY = Path.of("../models/nano-tokenizer");
    private static final String TURNS =
            "{\"from\": \"human\", \"value\": \"What?\"}, {\"from\": \"gpt\", \"value\": \"A.\"}";
    private static final String MESSAGES =
            "{\"role\": \"user\", \"content\": \"What?\"}, {\"role\": \"assistant\", \"content\": \"A.\"}";

    @TempDir
    private Path dir;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"system\": \"Be brief.\", \"conversations\": [TURNS]",
                "\"system_prompt\": \" Be brief.\\n\", \"conversations\": [TURNS]",
                "\"conversations\": [{\"from\": \"system\", \"value\": \"Be brief.\"}, TURNS]",
                "\"system\": \"Be brief.\", \"conversations\": [{\"from\": \"system\", \"value\": \"Be brief.\"}, TURNS]",
                "\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"}, MESSAGES]",
                "\"messages\": [{\"role\": \"developer\", \"content\": \"Be brief.\"}, MESSAGES]",
                "\"messages\": [{\"role\": \"system\", \"content\": [{\"type\": \"text\", \"text\": \"Be brief.\"}]}, MESSAGES]",
                "\"conversations\": [{\"role\": \"system\", \"content\": \"Be brief.\"}, MESSAGES]",
                "\"system\": \"Be brief.\", \"messages\": [MESSAGES]",
                "\"system\": \"Be brief.\", \"texts\": [{\"user\": \"What?\", \"assistant\": \"A.\"}]",
                "\"system\": \"Be brief.\", \"question\": \"What?\", \"answer\": \"A.\"",
            })
    void itIsFoundInEveryShape(String record) throws IOException {
        LlavaData data = read("{%s}".formatted(record.replace("TURNS", TURNS).replace("MESSAGES", MESSAGES)));

        assertThat(data.records())
                .containsExactly(new LlavaRecord(
                        "", List.of(), "Be brief.", List.of(Turn.human("What?"), Turn.assistant("A.")), ""));
        assertThat(data.systemPrompts()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"system\": \"One.\", \"conversations\": [{\"from\": \"system\", \"value\": \"Two.\"}, TURNS]|it has two system prompts, the key 'system' and the first turn; leave one",
                "\"conversations\": [{\"from\": \"system\", \"value\": \"One.\"}, {\"from\": \"system\", \"value\": \"Two.\"}, TURNS]|it begins with two system prompts; join them",
                "\"conversations\": [TURNS, {\"from\": \"system\", \"value\": \"One.\"}, TURNS]|a system prompt follows turn 2; move it to the beginning",
                "\"system\": {\"text\": \"One.\"}, \"conversations\": [TURNS]|its system prompt is not a text",
                "\"system\": \"See <image>.\", \"conversations\": [TURNS]|its system prompt contains <image>; it belongs in a question",
            })
    void whatCannotBeUsedIsLeftOutWithItsReason(String record, String reason) throws IOException {
        LlavaData data = read("{%s}%n{\"conversations\": [%s]}".formatted(record.replace("TURNS", TURNS), TURNS));

        assertThat(data.skipped())
                .singleElement()
                .satisfies(skipped -> assertThat(skipped.reason()).contains(reason));
    }

    @Test
    void aBlankOneCountsAsNone() throws IOException {
        LlavaData data = read("{\"system\": \"\", \"conversations\": [{\"from\": \"system\", \"value\": \" \"}, %s]}"
                .formatted(TURNS));

        assertThat(data.records().getFirst().system()).isEmpty();
        assertThat(data.systemPrompts()).isZero();
    }

    @Test
    void itReplacesTheTextOfTheTemplateAndIsNotSupervised() {
        SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(VOCABULARY);
        LlavaRecord record = new LlavaRecord(
                "1", List.of("a.jpg"), "Be brief.", List.of(Turn.human("<image>\nWhat?"), Turn.assistant("A.")), "");

        Prompt prompt = new SamplePrompts(new PromptBuilder(tokenizer, ConversationTemplate.V1), 512, 4).of(record);
        Prompt written = new PromptBuilder(tokenizer, ConversationTemplate.V1.withSystem("Be brief."))
                .training(record.turns(), 1, 512);

        assertThat(prompt.ids()).isEqualTo(written.ids());
        assertThat(prompt.labels()).isEqualTo(written.labels());
        int image = Arrays.stream(prompt.ids()).boxed().toList().indexOf(Prompt.IMAGE_TOKEN_INDEX);
        assertThat(tokenizer.decode(Arrays.copyOf(prompt.ids(), image), true)).isEqualTo("Be brief. USER: ");
        assertThat(Arrays.copyOf(prompt.labels(), image)).containsOnly(Prompt.IGNORE_INDEX);
        int[] supervised = Arrays.stream(prompt.labels())
                .filter(label -> label != Prompt.IGNORE_INDEX)
                .toArray();
        assertThat(tokenizer.decode(supervised, true)).isEqualTo("A.");
    }

    @Test
    void itIsPartOfTheSampleWhenRecordsAreComparedAndWritten() throws IOException {
        LlavaData data = read("""
                {"image": "a.jpg", "system": "Be brief.", "question": "What?", "answer": "A."}
                {"image": "a.jpg", "system": "Be long.", "question": "Where?", "answer": "B."}
                {"image": "a.jpg", "system": "Be brief.", "question": "Who?", "answer": "C."}""");

        assertThat(data.records()).extracting(LlavaRecord::system).containsExactly("Be brief.", "Be long.");
        assertThat(data.records().getFirst().turns()).hasSize(4);
        Path copy = dir.resolve("copy.jsonl");
        LlavaWriter.write(copy, data.records());
        assertThat(LlavaFiles.read(copy, Policy.FAIL).records())
                .extracting(LlavaRecord::system)
                .containsExactly("Be brief.", "Be long.");
    }

    private LlavaData read(String lines) throws IOException {
        return LlavaFiles.read(Files.writeString(dir.resolve("d.jsonl"), lines), Policy.SKIP);
    }
}
