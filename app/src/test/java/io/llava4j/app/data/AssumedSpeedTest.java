package io.llava4j.app.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The estimate of training time is for the device that the recipe names. */
class AssumedSpeedTest {
    @TempDir
    Path dir;

    @Test
    void theSpeedIsThatOfTheRecipesDeviceUnlessOneIsGiven() throws Exception {
        AssumedSpeed cpu = AssumedSpeed.of(recipe("cpu", 4), null);
        assertThat(cpu.teraflops()).isEqualTo(0.32, within(1e-9));
        assertThat(cpu.basis()).isEqualTo("cpu, 4 threads");
        assertThat(AssumedSpeed.of(recipe("cpu", 0), null).teraflops()).isBetween(0.07, 100.0);
        AssumedSpeed gpu = AssumedSpeed.of(recipe("cuda:1", 0), null);
        assertThat(gpu.teraflops()).isEqualTo(124.8, within(1e-9));
        assertThat(gpu.basis()).startsWith("cuda:1, if it is one A100");
        assertThat(AssumedSpeed.of(recipe("cpu", 4), 7.0)).isEqualTo(new AssumedSpeed(7, "as given"));
    }

    private TrainConfig recipe(String device, int threads) throws Exception {
        Path file = Files.writeString(dir.resolve("r.yaml"), """
                stage: finetune
                output: out
                model: {vision-tower: tower, language-model: lm}
                data: {json: data.json, images: images}
                device: %s
                threads: %d
                """.formatted(device, threads));
        return new RecipeLoader().load(file, Map.of(), Map.of());
    }
}
