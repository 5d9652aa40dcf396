package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.LlavaException;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.input.RunInputs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints that are written while training goes on. */
@Timeout(180)
class BackgroundCheckpointsTest {
    private static final String STATE = "state.safetensors";

    @TempDir
    private Path root;

    private TrainConfig config;

    @BeforeEach
    void write() {
        // States after steps 3, 6 and 9 of 10.
        config = new TinyRun(root).recipe("finetune", "plain", "run", Map.of("checkpoint.keep-last", "9"));
    }

    @Test
    void stepsGoOnWhileAStateIsWrittenAndItHasTheBytesOfItsStep() throws IOException {
        Path waited = root.resolve("waited");
        train(waited, Runnable::run, step -> {});

        Path background = root.resolve("background");
        CountDownLatch mayWrite = new CountDownLatch(1);
        List<Integer> whileUnwritten = new ArrayList<>();
        AtomicBoolean nextWaited = new AtomicBoolean();
        Executor held = task -> Thread.ofPlatform().start(() -> {
            await(mayWrite);
            task.run();
        });
        train(background, held, step -> {
            boolean there = Files.exists(background.resolve("step-000003"));
            if (step.step() > 3 && step.step() <= 6 && !there) {
                whileUnwritten.add(step.step());
            }
            if (step.step() == 6) {
                mayWrite.countDown(); // the save of step 6 waits for that of step 3
            }
            if (step.step() == 7) {
                nextWaited.set(there);
            }
        });
        assertThat(whileUnwritten).containsExactly(4, 5, 6);
        assertThat(nextWaited).isTrue();
        for (String step : List.of("step-000003", "step-000006", "step-000009")) {
            assertThat(Files.readAllBytes(background.resolve(step).resolve(STATE)))
                    .isEqualTo(Files.readAllBytes(waited.resolve(step).resolve(STATE)));
        }
    }

    @Test
    void theRunWaitsForTheLastStateBeforeItEnds() throws IOException {
        Path states = root.resolve("states");
        int[] left = {4};
        Executor late = task -> Thread.ofPlatform().start(() -> {
            sleep();
            task.run();
        });
        assertThat(train(states, late, step -> {}, () -> --left[0] == 0)).isFalse();
        assertThat(Files.exists(states.resolve("step-000004").resolve(STATE))).isTrue();
    }

    @Test
    void aStateThatCannotBeWrittenEndsTheRunWithItsSentence() throws IOException {
        Path states = root.resolve("states");
        List<Integer> steps = new ArrayList<>();
        TrainingListener blocked = step -> {
            steps.add(step.step());
            if (step.step() == 3) {
                try {
                    Files.writeString(states, "a file in the place of the folder");
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
        assertThatThrownBy(() -> train(states, task -> Thread.ofPlatform().start(task), blocked))
                .isInstanceOf(LlavaException.class)
                .hasMessageContaining("step-000003")
                .hasMessageContaining("cannot be written");
        assertThat(steps).startsWith(1, 2, 3).doesNotContain(7);
        assertThat(Files.isRegularFile(states)).isTrue();
    }

    @Test
    void aRunSavesAsBefore() throws IOException {
        assertThat(TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false))
                .isTrue();
        assertThat(Files.exists(config.output().resolve("model"))).isTrue();
        assertThat(Files.exists(config.output().resolve("checkpoints").resolve("step-000009")))
                .isFalse();
    }

    private boolean train(Path states, Executor executor, TrainingListener listener) {
        return train(states, executor, listener, () -> false);
    }

    private boolean train(Path states, Executor executor, TrainingListener listener, BooleanSupplier stop) {
        TrainState.Store store = new TrainState.Store(states, 9, "settings", RunInputs.NONE);
        try (Objective objective = Objectives.create(config);
                BackgroundCheckpoints checkpoints = new BackgroundCheckpoints(store, executor)) {
            return new Trainer(config, objective, checkpoints, listener, stop).run(false);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void sleep() {
        try {
            Thread.sleep(300);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
