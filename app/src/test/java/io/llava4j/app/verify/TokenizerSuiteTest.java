package io.llava4j.app.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerSuiteTest {
    private static final Path GOLDENS = Path.of("../../shared/goldens/tokenizer");

    @BeforeEach
    void goldensAreThere() {
        assumeTrue(Files.isDirectory(GOLDENS), () -> "reference data " + GOLDENS + " is not here");
    }

    @Test
    void everyReferenceCaseAgreesButForTheFourTheReferenceGivesUp() {
        List<CaseResult> results = run(GOLDENS);
        assertThat(results)
                .filteredOn(r -> r.status() == CaseResult.Status.FAIL)
                .isEmpty();
        assertThat(results)
                .filteredOn(r -> r.status() == CaseResult.Status.SKIPPED)
                .hasSize(4 * 3)
                .allMatch(r -> r.detail().contains("masks this sample whole"));
        assertThat(results).hasSizeGreaterThan(200);
    }

    @Test
    void differencesAreNamed(@TempDir Path dir) throws IOException {
        for (String file : List.of("tokenizer.model", "tokenizer_config.json")) {
            Files.copy(GOLDENS.resolve(file), dir.resolve(file));
        }
        assertThat(new TokenizerSuite().accepts(dir)).isFalse();
        Files.writeString(dir.resolve("tokenizer_cases.json"), """
                {"bos": 7, "encode": [{"text": "a", "ids": [1, 263]}, {"text": "b", "ids": [1, 263]}]}
                """);
        assertThat(new TokenizerSuite().accepts(dir)).isTrue();
        assertThat(run(dir))
                .extracting(CaseResult::status, CaseResult::detail)
                .containsExactly(
                        tuple(CaseResult.Status.FAIL, "expected 7, got 1"),
                        tuple(CaseResult.Status.FAIL, "1 differ, the first is \"b\""));
    }

    @Test
    void aCaseThatIsRefusedDoesNotStopTheOthers(@TempDir Path dir) throws IOException {
        Files.copy(GOLDENS.resolve("tokenizer.model"), dir.resolve("tokenizer.model"));
        Files.writeString(dir.resolve("conversation_cases.json"), """
                {"cases": [{"name": "alone", "version": "v1", "has_image": false,
                            "conversations": [{"from": "human", "value": "Q"}],
                            "legacy_false_max64": {"input_ids": [1], "labels": [-100]}}],
                 "prompts": [{"template": "v9", "rounds": [["Q", null]], "prompt": "", "ids": []},
                             {"template": "plain", "rounds": [["<image>", null]], "prompt": "<image>",
                              "ids": [1, -200]}]}
                """);
        assertThat(run(dir))
                .extracting(CaseResult::name, CaseResult::status)
                .containsExactly(
                        tuple("alone: legacy_false_max64", CaseResult.Status.FAIL),
                        tuple("prompt 1", CaseResult.Status.FAIL),
                        tuple("prompt 2 text", CaseResult.Status.OK),
                        tuple("prompt 2 ids", CaseResult.Status.OK));
    }

    private static List<CaseResult> run(Path dir) {
        List<CaseResult> results = new ArrayList<>();
        new TokenizerSuite().run(dir, results::add);
        return results;
    }
}
