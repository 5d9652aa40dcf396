package io.llava4j.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddedTokensTest {
    private static final String DECODER = """
            {"legacy": false, "added_tokens_decoder": {
              "1": {"content": "<s>", "special": true},
              "%d": {"content": "<image>", "special": true},
              "%d": {"content": "<pad>", "special": true},
              "%d": {"content": "<loc_7>", "special": false},
              "%d": {"content": "<loc_77>", "special": false}}}""";

    @TempDir
    Path folder;

    private int vocabulary;

    @BeforeEach
    void train() {
        vocabulary = VocabularyTrainer.train(
                        List.of("the cat is on the mat and the dog is not", "what is the cat on?")
                                .iterator(),
                        VocabularyTrainer.MIN_SIZE + 5,
                        folder)
                .vocabSize();
    }

    private SentencePieceTokenizer load() {
        return SentencePieceTokenizer.load(folder);
    }

    private void decoder() throws IOException {
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                DECODER.formatted(vocabulary, vocabulary + 1, vocabulary + 2, vocabulary + 3));
    }

    @Test
    void anAddedTokenIsOneIdBothWays() throws IOException {
        decoder();
        SentencePieceTokenizer tokenizer = load();
        int loc = vocabulary + 2;
        assertThat(tokenizer.encode("<loc_7>")).endsWith(loc).doesNotContain(vocabulary + 3);
        assertThat(tokenizer.encode("the cat <loc_77>is"))
                .contains(vocabulary + 3)
                .startsWith(tokenizer.encode("the cat "));
        assertThat(tokenizer.encode("<pad>")).containsExactly(vocabulary + 1);
        assertThat(tokenizer.encode("<image>")).doesNotContain(vocabulary);
        assertThat(tokenizer.decode(new int[] {loc, loc, vocabulary + 1, vocabulary, vocabulary + 40}, true))
                .isEqualTo("<loc_7><loc_7>");
        assertThat(tokenizer.decode(tokenizer.encode("the cat is on<loc_7>the mat"), true))
                .isEqualTo("the cat is on<loc_7>the mat");
        assertThat(tokenizer.idCount()).isEqualTo(vocabulary + 4);
        assertThat(tokenizer.piece(loc)).isEqualTo("<loc_7>");
        assertThat(tokenizer.withLegacy(true).encode("<loc_7>")).containsExactly(loc);
    }

    @Test
    void addedTokensJsonAloneIsEnough() throws IOException {
        Files.writeString(
                folder.resolve("added_tokens.json"),
                "{\"<loc_7>\": %d, \"<pad>\": %d}".formatted(vocabulary, vocabulary + 1));
        assertThat(load().addedTokens())
                .containsExactly(
                        new AddedToken(vocabulary, "<loc_7>", false), new AddedToken(vocabulary + 1, "<pad>", true));
    }

    @Test
    void filesMustAgree() throws IOException {
        decoder();
        Files.writeString(folder.resolve("added_tokens.json"), "{\"<other>\": %d}".formatted(vocabulary + 2));
        assertThatThrownBy(this::load)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("added_tokens.json: token " + (vocabulary + 2) + " is '<other>'")
                .hasMessageContaining("<loc_7>");
    }

    @Test
    void aTextThatIsSupervisedHasTheTokenInItsLabels() throws IOException {
        decoder();
        PromptBuilder prompts = new PromptBuilder(load(), ConversationTemplate.V1);
        Prompt prompt = prompts.training(List.of(Turn.human("where?"), Turn.assistant("<loc_7>")), 0, 500);
        assertThat(prompt.labels()).contains(vocabulary + 2).endsWith(load().eosId());
        assertThat(Arrays.stream(prompt.labels()).filter(label -> label != Prompt.IGNORE_INDEX))
                .containsExactly(vocabulary + 2, load().eosId());
        // An answer of the conversation so far has the ids that it was trained with.
        int[] later = prompts.inference(
                        List.of(Turn.human("where?"), Turn.assistant("<loc_7>"), Turn.human("and the cat?")))
                .ids();
        assertThat(Arrays.copyOf(later, prompt.ids().length)).isEqualTo(prompt.ids());
        Prompt words = prompts.training(List.of(Turn.human("where?"), Turn.assistant("at <loc_7>")), 0, 500);
        assertThat(load().decode(words.ids(), true)).endsWith("at <loc_7>");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lstrip", "rstrip", "single_word"})
    void aTokenThatTakesItsNeighboursCharactersIsRefused(String key) throws IOException {
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"added_tokens_decoder\": {\"%d\": {\"content\": \"<loc_7>\", \"%s\": true}}}"
                        .formatted(vocabulary + 2, key));
        assertThatThrownBy(this::load)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("'<loc_7>' has " + key + " true");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"add_bos_token\": false",
                "\"add_eos_token\": true",
                "\"add_prefix_space\": false",
                "\"do_lower_case\": true",
                "\"split_special_tokens\": true",
                "\"sp_model_kwargs\": {\"enable_sampling\": true}"
            })
    void aSettingThatChangesTheIdsIsRefused(String setting) throws IOException {
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(
                config,
                "{\"add_bos_token\": true, \"add_eos_token\": false, \"add_prefix_space\": null, \"sp_model_kwargs\": {}}");
        assertThat(load().encode("the cat")).isNotEmpty();
        Files.writeString(config, "{" + setting + "}");
        assertThatThrownBy(this::load)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tokenizer_config.json: " + setting.replaceAll("^\"([a-z_]+)\".*", "$1") + " is ")
                .hasMessageContaining("llava4j needs");
    }
}
