package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code llava train --plan}: memory and time without data and weights. */
class PlanTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path SHAPES = ROOT.resolve("models");

    @ParameterizedTest
    @CsvSource({
        "llava-1.5-7b-finetune-8x80gb,7b,8,full,80G",
        "llava-1.5-7b-finetune-tiles,7b,8,full,80G",
        "llava-1.5-13b-finetune-8x80gb,13b,8,full,80G",
        "llava-1.5-7b-finetune-8x40gb,7b,8,full,40G",
        "llava-1.5-13b-finetune-8x40gb,13b,8,full,40G",
        "llava-1.5-7b-finetune-lora-4x24gb,7b,4,none,24G",
        "llava-1.5-7b-finetune-qlora-4x24gb,7b,4,none,24G",
        "llava-1.5-13b-finetune-qlora-4x24gb,13b,4,none,24G"
    })
    void recipesForCardsFitThem(String recipe, String size, int processes, String sharding, String memory) {
        CliRun run = plan(
                recipe,
                "--shape",
                SHAPES.resolve("llava-1.5-" + size),
                "--world-size",
                processes,
                "--sharding",
                sharding,
                "--device-memory",
                memory);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("which fits in")
                .contains("memory of each of %d processes: bf16, sharding %s".formatted(processes, sharding))
                .contains("a step of 128 samples");
    }

    /** The recipe's own sharding is what is planned, unless the option says otherwise. */
    @Test
    void theRecipeSaysWhatIsShared() {
        Object[] given = {"--shape", SHAPES.resolve("llava-1.5-7b"), "--world-size", 8};
        assertThat(plan("llava-1.5-7b-finetune-8x80gb", given).out()).contains("bf16, sharding full");
        assertThat(plan("llava-1.5-7b-finetune", given).out()).contains("sharding none");
    }

    /** Weights 4, gradients 4, moments 8 bytes of 6.76 billion parameters, beside a frozen tower. */
    @Test
    void trainingIn32BitsTakes16BytesOfEachParameter() {
        CliRun run = plan("llava-1.5-7b-finetune", "--shape", SHAPES.resolve("llava-1.5-7b"), "--device-memory", "80G");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out())
                .containsPattern("weights +26.3")
                .containsPattern("master copy +0.00")
                .containsPattern("gradients +25.18")
                .containsPattern("moments +50.36")
                .contains("which does not fit in 80.0 GiB");
    }

    /** Rank 0 gathers all weights to answer; 24.9 GiB of 13B in bf16, beside 27.4 GiB of its own. */
    @Test
    void answersDuringTrainingAreComparedWithTheDevice() {
        Object[] given = {"--shape", SHAPES.resolve("llava-1.5-13b"), "--world-size", 8, "--device-memory", "40G"};
        assertThat(plan("llava-1.5-13b-finetune-8x40gb", given).out())
                .contains("which fits in 40.0 GiB")
                .contains(
                        "gather all weights on rank 0, 24.87 GiB: 52.3 GiB with its share, which does not fit in 40.0 GiB");
        assertThat(plan("llava-1.5-7b-finetune", "--shape", SHAPES.resolve("llava-1.5-7b"))
                        .out())
                .doesNotContain("rank 0");
    }

    @Test
    void impossibleOptionsAreRefused() {
        CliRun run = plan("llava-1.5-7b-finetune", "--shape", SHAPES.resolve("llava-1.5-7b"), "--world-size", "0");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).contains("--world-size must be at least 1, not 0");
    }

    private static CliRun plan(String recipe, Object... more) {
        Object[] all = new Object[more.length + 3];
        all[0] = "train";
        all[1] = ROOT.resolve("recipes/" + recipe + ".yaml");
        all[2] = "--plan";
        System.arraycopy(more, 0, all, 3, more.length);
        return CliRun.of(all);
    }
}
