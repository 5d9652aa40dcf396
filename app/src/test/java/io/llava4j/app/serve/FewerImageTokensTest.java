package io.llava4j.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.app.cli.TinyModel;
import io.llava4j.checkpoint.ModelParts;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** A server counts the image tokens that the language model reads, whatever makes them fewer than the patches. */
class FewerImageTokensTest {
    @TempDir
    private Path dir;

    @ParameterizedTest
    @CsvSource({
        "mlp2x_gelu, 0, 4",
        "mlp2x_gelu, 3, 3",
        "avg_pool_2x2_mlp2x_gelu, 0, 1",
        "pixel_shuffle_2x2_mlp2x_gelu, 0, 1",
        "tokenpacker_2x2, 0, 1"
    })
    void imageTokensAreCounted(String projector, int visionTokens, int expected) {
        Path model = TinyModel.write(dir, projector);
        try (TestServer server = TestServer.start(model, new ModelParts(null, null, null, visionTokens))) {
            String text =
                    "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"what is this?\"}%s]}],"
                            + "\"max_tokens\":3,\"temperature\":0}";
            String image = ",{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,%s\"}}"
                    .formatted(TestServer.png(0x102030));
            JsonNode plain = usage(server, text.formatted(""));
            JsonNode seen = usage(server, text.formatted(image));
            assertThat(plain.at("/prompt_tokens_details/image_tokens").intValue())
                    .isZero();
            assertThat(seen.at("/prompt_tokens_details/image_tokens").intValue())
                    .isEqualTo(expected);
            // The line break after the image stands for some more.
            assertThat(seen.at("/prompt_tokens").intValue()
                            - plain.at("/prompt_tokens").intValue())
                    .isBetween(expected, expected + 3);
            JsonNode shown = server.post("/api/show", "{\"model\":\"tiny\"}").json();
            assertThat(shown.at("/model_info/llava.image_tokens").intValue()).isEqualTo(expected);
        }
    }

    private static JsonNode usage(TestServer server, String body) {
        TestServer.Reply reply = server.post("/v1/chat/completions", body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json().at("/usage");
    }
}
