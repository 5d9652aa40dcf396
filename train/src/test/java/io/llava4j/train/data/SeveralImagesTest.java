package io.llava4j.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Records with several images, from the reader's rules to the prompt. */
class SeveralImagesTest {
    private static final SentencePieceTokenizer TOKENIZER =
            SentencePieceTokenizer.load(Path.of("../models/nano-tokenizer"));
    private static final List<Turn> COMPARED =
            List.of(Turn.human("Compare <image> with <image>."), Turn.assistant("The same."));

    private final LlavaRecord record = new LlavaRecord("1", List.of("a.jpg", "b/c.png"), COMPARED);

    @Test
    void eachImageNeedsOnePlaceholder() {
        assertThatCode(() -> RecordRules.check(record)).doesNotThrowAnyException();
        assertThatThrownBy(() -> RecordRules.check(new LlavaRecord("1", List.of("a", "b", "c"), COMPARED)))
                .hasMessage("it has 3 images but its questions contain <image> 2 times; write it once for each image");
    }

    @Test
    void promptsKeepPlaceholdersWhereTheyAre() {
        SamplePrompts prompts = new SamplePrompts(new PromptBuilder(TOKENIZER, ConversationTemplate.V1), 200, 16);
        Prompt prompt = prompts.of(record);
        int[] ids = prompt.ids();
        int first = indexOf(ids, 0);
        int second = indexOf(ids, first + 1);

        assertThat(prompt.imageCount()).isEqualTo(2);
        assertThat(TOKENIZER.decode(Arrays.copyOfRange(ids, 0, first), true)).endsWith("USER: Compare ");
        assertThat(TOKENIZER.decode(Arrays.copyOfRange(ids, first + 1, second), true))
                .contains("with");
        assertThat(prompts.sequenceLength(prompt)).isEqualTo(ids.length + 2 * 15);
        SamplePrompts shorter = new SamplePrompts(prompts.builder(), second, 1);
        assertThatThrownBy(() -> shorter.of(record)).hasMessageContaining("names 1 of its 2 images");
    }

    @Test
    void severalImagesAreWrittenAsAList() {
        assertThat(new String(LlavaWriter.json(record), StandardCharsets.UTF_8))
                .startsWith("{\"id\":\"1\",\"image\":[\"a.jpg\",\"b/c.png\"],\"conversations\":[");
    }

    private static int indexOf(int[] ids, int from) {
        for (int i = from; i < ids.length; i++) {
            if (ids[i] == Prompt.IMAGE_TOKEN_INDEX) {
                return i;
            }
        }
        throw new AssertionError("no image after position " + from);
    }
}
