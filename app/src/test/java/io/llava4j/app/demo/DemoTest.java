package io.llava4j.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.eval.report.Condition;
import io.llava4j.eval.report.Results;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The main job on a handful of images. */
class DemoTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Path HOME = Path.of("..");

    @TempDir
    private Path run;

    @Test
    void theQuickDemoGoesThroughAllPhasesAndGoesOnAfterAStop() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        assertThat(demo(() -> asked.incrementAndGet() > 30).run()).isEmpty();
        assertThat(run.resolve("results.json")).doesNotExist();

        Results results = demo(() -> false).run().orElseThrow();

        JsonNode manifest = JSON.readTree(Files.readString(run.resolve("world/nano-mix/manifest.json")));
        assertThat(manifest.path("manifest").path("sources").size()).isEqualTo(10);
        assertThat(run.resolve("world/nano-mix/README.md")).content().contains("vqav2");
        JsonNode stage2 = JSON.readTree(Files.readString(run.resolve("world/nano-mix/nano-mix.json")));
        assertThat(stage2.size())
                .isEqualTo(manifest.path("manifest").path("records").asInt())
                .isBetween(120, 140);
        assertThat(Files.readString(run.resolve("config.yaml"))).contains("nano-mix.json");
        assertThat(results.vqa()).containsOnlyKeys(Condition.values());
        assertThat(results.vqaQuestions()).isGreaterThan(20);
        assertThat(run.resolve("report.html"))
                .content()
                .contains(
                        "nano-LLaVA learns to see",
                        "./llava serve -m " + run.resolve("model"),
                        "http://127.0.0.1:8080/")
                .containsSubsequence("✗ wrong", "class=\"radar\"", "How it was trained", "id=\"chat\"");
        assertThat(run.resolve("README.md")).isNotEmptyFile();
    }

    private Demo demo(BooleanSupplier stop) {
        return new Demo(HOME, run, Demo.Size.QUICK, Map.of("schedule.max-steps", "2"), stop);
    }
}
