package io.llava4j.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rendering rules of docs/reference/conversation.md#styles, spelled out for two rounds. */
class ConversationTemplateTest {
    private static final List<Turn> TURNS =
            List.of(Turn.human("Q1"), Turn.assistant("A1"), Turn.human("Q2"), Turn.assistant("A2"));
    private static final List<Turn> OPEN = TURNS.subList(0, 3);

    private static final String HUMAN = "A chat between a curious human and an artificial intelligence assistant. "
            + "The assistant gives helpful, detailed, and polite answers to the human's questions.";

    @Test
    void aSystemPromptTakesThePlaceOfTheTemplatesText() {
        List<Turn> turns = List.of(Turn.human("Q"), Turn.assistant("A"));
        assertThat(ConversationTemplate.V1.withSystem("S").render(turns, false))
                .isEqualTo("S USER: Q ASSISTANT: A</s>");
        assertThat(ConversationTemplate.named("llama_2").withSystem("S").render(turns, false))
                .isEqualTo("[INST] <<SYS>>\nS\n<</SYS>>\n\nQ [/INST] A </s>");
        assertThat(ConversationTemplate.named("mistral_instruct")
                        .withSystem("S")
                        .render(turns, false))
                .startsWith("[INST] <<SYS>>\nS\n<</SYS>>\n\nQ");
        assertThat(ConversationTemplate.named("mpt").withSystem("S").render(turns, false))
                .startsWith("<|im_start|>system\nS<|im_end|><|im_start|>user\nQ");
        assertThat(ConversationTemplate.PLAIN.takesSystem()).isFalse();
        assertThat(ConversationTemplate.PLAIN.withSystem("S")).isEqualTo(ConversationTemplate.PLAIN);
    }

    @Test
    void singleSeparator() {
        ConversationTemplate template = ConversationTemplate.named("llava_v0");
        assertThat(template.render(TURNS, false))
                .isEqualTo(HUMAN + "###Human: Q1###Assistant: A1###Human: Q2###Assistant: A2###");
        assertThat(template.render(OPEN, true)).endsWith("###Human: Q2###Assistant:");
    }

    @Test
    void theFirstVicunaShowsAnExample() {
        String text = ConversationTemplate.named("default").render(OPEN, true);
        assertThat(text)
                .startsWith(HUMAN + "###Human: What are the key differences between renewable")
                .contains("sources?###Assistant: Renewable energy sources are")
                .endsWith("instability.\n###Human: Q1###Assistant: A1###Human: Q2###Assistant:");
    }

    @Test
    void twoSeparators() {
        assertThat(ConversationTemplate.named("llava_v1").render(TURNS, false))
                .isEqualTo(HUMAN + " USER: Q1 ASSISTANT: A1</s>USER: Q2 ASSISTANT: A2</s>");
    }

    @Test
    void llama2HoldsTheSystemInItsFirstQuestion() {
        String system = "You are a helpful language and vision assistant. You are able to understand the visual content"
                + " that the user provides, and assist the user with a variety of tasks using natural language.";
        ConversationTemplate template = ConversationTemplate.named("llava_llama_2");
        assertThat(template.render(TURNS, false))
                .isEqualTo(
                        "[INST] <<SYS>>\n" + system + "\n<</SYS>>\n\nQ1 [/INST] A1 </s><s>[INST] Q2 [/INST] A2 </s>");
        assertThat(template.render(OPEN, true)).endsWith("<s>[INST] Q2 [/INST]");
        assertThat(ConversationTemplate.named("mistral_instruct").render(TURNS, false))
                .isEqualTo("[INST] Q1 [/INST] A1 </s>[INST] Q2 [/INST] A2 </s>");
        assertThat(ConversationTemplate.named("llama_2").render(OPEN, true))
                .startsWith("[INST] <<SYS>>\nYou are a helpful, respectful and honest assistant.");
    }

    @Test
    void chatMlWritesRolesInTags() {
        assertThat(ConversationTemplate.named("mistral_direct").render(OPEN, true))
                .isEqualTo("<|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\nQ1<|im_end|>"
                        + "<|im_start|>assistant\nA1<|im_end|><|im_start|>user\nQ2<|im_end|><|im_start|>assistant\n");
        assertThat(ConversationTemplate.named("mpt").render(OPEN, true))
                .startsWith("<|im_start|>system\nA conversation between a user and an LLM-based AI assistant.");
    }

    @ParameterizedTest
    @CsvSource({"v1_mmtag, </s>", "v0_mmtag, ###"})
    void imagesAreWrittenBetweenTheirTags(String name, String end) {
        PromptBuilder builder = new PromptBuilder(TokenizerGoldens.tokenizer(), ConversationTemplate.named(name));
        Prompt prompt =
                builder.training(List.of(Turn.human("What is <image> this?"), Turn.assistant("A cat.")), 1, 512);
        assertThat(prompt.imageCount()).isEqualTo(1);
        int image = 0;
        while (prompt.ids()[image] != Prompt.IMAGE_TOKEN_INDEX) {
            image++;
        }
        String before = builder.tokenizer().decode(Arrays.copyOf(prompt.ids(), image), true);
        assertThat(before).endsWith("<Image>");
        assertThat(supervised(builder, prompt)).isEqualTo("A cat." + end);
    }

    /** By construction every style supervises the answers with their ends and nothing else. */
    @ParameterizedTest
    @CsvSource({
        "llava_v0, A1###A2###",
        "v0, A1###A2###",
        "llava_v1, A1</s>A2</s>",
        "llama_2, A1 </s>A2 </s>",
        "mistral_instruct, A1 </s>A2 </s>"
    })
    void answersAndTheirEndsAreSupervised(String name, String expected) {
        PromptBuilder builder = new PromptBuilder(TokenizerGoldens.tokenizer(), ConversationTemplate.named(name));
        assertThat(supervised(builder, builder.training(TURNS, 0, 2048)).replace(" </s>", "</s>"))
                .isEqualTo(expected.replace(" </s>", "</s>"));
    }

    private static String supervised(PromptBuilder builder, Prompt prompt) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < prompt.length(); i++) {
            if (prompt.labels()[i] != Prompt.IGNORE_INDEX) {
                text.append(builder.tokenizer().piece(prompt.labels()[i]));
            }
        }
        return text.toString().replace('▁', ' ').replaceAll("(^| )A", "A").strip();
    }
}
