package io.llava4j.train.data.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.LlavaWriter;
import io.llava4j.train.data.Policy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fields that no rule reads survive a conversion, and a format that is not written is refused. */
class ExtraFieldsTest {
    @TempDir
    Path dir;

    @Test
    void fieldsOfEveryShapeFollowTheirRecordAlsoAfterOneThatIsLeftOut() throws Exception {
        Path file = Files.writeString(dir.resolve("data.jsonl"), """
                {"id": "1", "image": "a.jpg", "source": "x", "weight": 0.5, "conversations": [{"from": "human", "value": "<image>\\nQ"}, {"from": "gpt", "value": "A", "score": 3}]}
                {"id": "2", "image": "a.jpg", "source": "left out", "conversations": []}
                {"id": "3", "img": "b.jpg", "question": "Q?", "answer": "A", "split": {"name": "train"}}
                {"id": "4", "system": "Be kind.", "messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}], "tags": [1, null]}
                {"id": "5", "image": "c.jpg", "caption": "A cat.", "text": "more"}
                {"id": "6", "image": "b.jpg", "question": "R?", "answer": "B", "split": {"name": "joined"}}
                """);
        ExtraFields extra = ExtraFields.of(file);
        try (LlavaData data = LlavaFiles.read(file, Policy.SKIP)) {
            Path out = dir.resolve("out.jsonl");
            LlavaWriter.write(out, data.records(), position -> extra.of(data.indices()[position]));
            assertThat(Files.readAllLines(out))
                    .satisfiesExactly(
                            first -> assertThat(first).endsWith("],\"source\":\"x\",\"weight\":0.5}"),
                            third -> assertThat(third).endsWith("],\"split\":{\"name\":\"train\"}}"),
                            fourth -> assertThat(fourth).endsWith("],\"system\":\"Be kind.\",\"tags\":[1,null]}"),
                            fifth -> assertThat(fifth).endsWith("],\"text\":\"more\"}"));
            assertThat(extra.lost(data.indices())).isEqualTo(2);
            assertThat(extra.ofTurns()).isEqualTo(Map.of("score", 1));
            ExtraFields again = ExtraFields.of(out);
            assertThat(again.of(1)).isEqualTo(extra.of(2));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"out.csv", "OUT.CSV", "out.parquet", "out.tar", "out.jsonl.gz", "out.zip"})
    void filesThatAreNotWrittenAreRefused(String name) {
        assertThatThrownBy(() -> LlavaWriter.Form.of(dir.resolve(name)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("is not written; name a .json or .jsonl file, or a folder");
    }

    @ParameterizedTest
    @ValueSource(strings = {"out", "mix.v2", "2026.11"})
    void otherNamesAreFolders(String name) {
        assertThat(LlavaWriter.Form.of(dir.resolve(name))).isEqualTo(LlavaWriter.Form.SHARDS);
    }
}
