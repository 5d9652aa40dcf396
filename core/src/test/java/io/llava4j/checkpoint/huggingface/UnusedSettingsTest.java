package io.llava4j.checkpoint.huggingface;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a folder asks of an answer and does not get is found; what changes nothing is not. */
class UnusedSettingsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'repetition_penalty':1.2|repetition_penalty = 1.2",
                "'no_repeat_ngram_size':3|no_repeat_ngram_size = 3",
                "'min_new_tokens':4|min_new_tokens = 4",
                "'num_beams':5|num_beams = 5",
                "'suppress_tokens':[7]|suppress_tokens = [7]",
                "'bad_words_ids':[[7]]|bad_words_ids = [[7]]",
                "'forced_bos_token_id':0|forced_bos_token_id = 0"
            })
    void whatChangesTheLikeliestAnswerIsFound(String setting, String found) throws IOException {
        Files.writeString(folder.resolve("generation_config.json"), "{" + setting.replace('\'', '"') + "}");
        assertThat(GenerationSettings.notApplied(folder)).containsExactly(found);
    }

    @Test
    void theUsualFileAsksForNothing() throws IOException {
        assertThat(GenerationSettings.notApplied(folder)).isEmpty();
        Files.writeString(folder.resolve("generation_config.json"), """
                {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "do_sample": true, "temperature": 0.9,
                 "top_p": 0.6, "max_length": 4096, "repetition_penalty": 1.0, "min_length": 0, "num_beams": 1,
                 "suppress_tokens": null, "bad_words_ids": [], "transformers_version": "4.31.0"}""");
        assertThat(GenerationSettings.notApplied(folder)).isEmpty();
    }

    @Test
    void chatTemplatesOfOtherModelsAreSeenWhereverTheyStand() throws IOException {
        assertThat(ChatTemplate.otherMark(ChatTemplate.V1)).isEmpty();
        assertThat(ChatTemplate.otherMark("{{ message['role'].upper() + ': ' }} ### "))
                .isEmpty();
        assertThat(ChatTemplate.otherMark(folder)).isEmpty();
        String json = "{\"chat_template\": \"{{ '%s' + message['content'] }}\"}";
        Files.writeString(folder.resolve("tokenizer_config.json"), json.formatted("[INST] "));
        assertThat(ChatTemplate.otherMark(folder)).contains("[INST]");
        Files.writeString(folder.resolve("chat_template.json"), json.formatted("<|im_start|>user"));
        assertThat(ChatTemplate.otherMark(folder)).contains("<|im_start|>");
        Files.writeString(folder.resolve("chat_template.jinja"), "{{ '<|user|>' + message['content'] }}");
        assertThat(ChatTemplate.otherMark(folder)).contains("<|user|>");
    }
}
