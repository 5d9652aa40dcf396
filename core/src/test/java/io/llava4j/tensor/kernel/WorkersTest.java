package io.llava4j.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkersTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void everyChunkRunsOnceAndIsSeenByTheCaller(int threads) {
        try (Workers workers = new Workers(threads)) {
            assertThat(workers.count()).isEqualTo(threads);
            for (int chunks = 0; chunks < 300; chunks++) {
                int[] ran = new int[chunks];
                AtomicIntegerArray inUse = new AtomicIntegerArray(threads);
                workers.run(chunks, (chunk, worker) -> {
                    assertThat(inUse.incrementAndGet(worker)).isEqualTo(1);
                    ran[chunk]++;
                    inUse.decrementAndGet(worker);
                });
                assertThat(ran).satisfies(all -> {
                    for (int count : all) {
                        assertThat(count).isEqualTo(1);
                    }
                });
            }
        }
    }

    @Test
    void workersThatFellAsleepWakeUp() throws InterruptedException {
        try (Workers workers = new Workers(3)) {
            for (int i = 0; i < 20; i++) {
                Thread.sleep(3);
                AtomicInteger ran = new AtomicInteger();
                workers.run(50, (chunk, worker) -> ran.incrementAndGet());
                assertThat(ran).hasValue(50);
            }
        }
    }

    @Test
    void whatAChunkThrowsReachesTheCallerAndTheNextTaskRuns() {
        try (Workers workers = new Workers(2)) {
            for (int bad = 0; bad < 20; bad++) {
                int thrower = bad;
                assertThatThrownBy(() -> workers.run(20, (chunk, worker) -> {
                            if (chunk == thrower) {
                                throw new ArithmeticException("chunk " + chunk);
                            }
                        }))
                        .isInstanceOf(ArithmeticException.class)
                        .hasMessage("chunk " + bad);
            }
            AtomicInteger ran = new AtomicInteger();
            workers.run(20, (chunk, worker) -> ran.incrementAndGet());
            assertThat(ran).hasValue(20);
        }
    }

    @Test
    void callersTakeTurns() throws InterruptedException {
        try (Workers workers = new Workers(2)) {
            AtomicInteger ran = new AtomicInteger();
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                callers.add(Thread.ofPlatform().start(() -> {
                    for (int run = 0; run < 200; run++) {
                        workers.run(3, (chunk, worker) -> ran.incrementAndGet());
                    }
                }));
            }
            for (Thread caller : callers) {
                caller.join();
            }
            assertThat(ran).hasValue(4 * 200 * 3);
        }
    }

    @Test
    void aChunkCannotHandOutWorkAndClosedWorkersTakeNone() {
        Workers workers = new Workers(2);
        for (int only = 0; only < 2; only++) {
            assertThatThrownBy(() -> workers.run(8, (chunk, worker) -> workers.run(1, (c, w) -> {})))
                    .isInstanceOf(IllegalStateException.class);
        }
        workers.close();
        assertThatThrownBy(() -> workers.run(1, (chunk, worker) -> {})).isInstanceOf(IllegalStateException.class);
    }
}
