package io.llava4j.tensor.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

/** Processes of their own exchange tensors over Gloo. */
class ProcessGroupTest {
    private static final long MANY = 6_000_000;

    @Test
    void threeProcessesExchangeTensors() {
        List<String> outputs = ForkedRanks.succeed(3, Exchanges.class);

        for (int rank = 0; rank < 3; rank++) {
            // Terms are added by rank, also where that is not the same as another order: 1e8 + 1 - 1e8 = 0 in 32 bits.
            assertThat(outputs.get(rank).lines().filter(line -> !line.startsWith("[Gloo]")))
                    .containsExactly(
                            "all-reduce [6.0, 9.0, 12.0, 15.0]",
                            "order [0.0]",
                            "reduce-scatter [" + (300.0 + 6 * rank) + ", " + (303.0 + 6 * rank) + "]",
                            "in chunks true",
                            "all-gather [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]",
                            "broadcast [1.0, 1.0]",
                            "text [rank 0, rank 1, rank 2]",
                            "sent true");
        }
    }

    /** A build for the CPU has no bindings of CUDA, which those of NCCL inherit from. */
    @Test
    void ncclIsRefusedWithoutABuildForGpus() {
        assertThatThrownBy(Backends::loadNccl)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("NCCL")
                .hasMessageContaining("build with -Dnative.platform=linux-x86_64-gpu");
    }

    @Test
    void oneProcessExchangesNothing() {
        assertThat(exchanges(ProcessGroup.alone()))
                .containsExactly(
                        "all-reduce [1.0, 2.0, 3.0, 4.0]",
                        "order [1.0E8]",
                        "reduce-scatter [0.0, 1.0]",
                        "in chunks true",
                        "all-gather [0.0, 0.5]",
                        "broadcast [0.0, 0.0]",
                        "text [rank 0]",
                        "sent true");
    }

    @Test
    void whoIsMissingIsNamed() {
        try (ForkedRanks ranks = ForkedRanks.none()) {
            ranks.start(0, 3, Map.of(), Exchanges.class, "3", "2");
            ranks.start(2, 3, Map.of(), Exchanges.class, "3", "2");

            for (ForkedRanks.Ended ended : ranks.await()) {
                assertThat(ended.exitCode()).isEqualTo(1);
                assertThat(ended.errors())
                        .contains("rank 1 did not come to 127.0.0.1:")
                        .contains("within 3 s");
            }
        }
    }

    @Test
    void anotherWorldSizeAndATakenRankAreRefused() {
        try (ForkedRanks ranks = ForkedRanks.none()) {
            ranks.start(0, 3, Map.of(), Exchanges.class, "4", "4");
            ranks.start(1, 3, Map.of(), Exchanges.class, "4", "4");
            ranks.start(1, 3, Map.of(), Exchanges.class, "4", "4");
            ranks.start(2, 4, Map.of(), Exchanges.class, "4", "4");
            String errors = String.join(
                    "", ranks.await().stream().map(ForkedRanks.Ended::errors).toList());

            assertThat(errors)
                    .containsPattern("rank \\d has WORLD_SIZE \\d, but the processes at 127.0.0.1:\\d+ have \\d")
                    .containsPattern("process \\d+ has RANK 1, but another process has it already");
        }
    }

    @Test
    void aProcessThatDiesIsNamed() {
        List<ForkedRanks.Ended> ended = ForkedRanks.run(3, Exchanges.class, "60", "3", "dies");

        assertThat(ended.get(1).exitCode()).isEqualTo(9);
        for (int rank : new int[] {0, 2}) {
            assertThat(ended.get(rank).exitCode()).isEqualTo(1);
            assertThat(ended.get(rank).errors())
                    .contains("an exchange with the other processes failed: rank 1 (")
                    .contains("no longer answers");
        }
    }

    @Test
    void closingWaitsForExchangesInTheBackground() {
        for (String output : ForkedRanks.succeed(2, ClosesEarly.class)) {
            assertThat(output.lines().filter(line -> !line.startsWith("[Gloo]")))
                    .containsExactly("done true, sum true");
        }
    }

    private static List<String> exchanges(ProcessGroup group) {
        return Engine.scope("exchanges", () -> {
            int rank = group.rank().rank();
            Tensor sum = Tensors.of(new float[] {rank + 1, rank + 2, rank + 3, rank + 4}, 4);
            group.allReduce(sum);
            Tensor order = Tensors.of(new float[] {new float[] {1e8f, 1, -1e8f}[rank]}, 1);
            group.allReduce(order);
            float[] terms = new float[2 * group.size()];
            for (int i = 0; i < terms.length; i++) {
                terms[i] = 100 * rank + i;
            }
            Tensor share = Tensors.of(new float[2], 2);
            group.reduceScatter(share, Tensors.of(terms, terms.length));
            boolean chunks = sumsInChunks(group);
            Tensor all = Tensors.of(terms, terms.length);
            group.allGather(all, Tensors.of(new float[] {rank, rank + 0.5f}, 2));
            Tensor root = Tensors.of(new float[] {rank, rank}, 2);
            group.broadcast(root, Math.min(1, group.size() - 1));
            // All-reduce of 4 padded to 6, of 1 padded to 3, reduce-scatter and all-gather of 6, broadcast of 2 by rank
            // 1.
            long sent = group.size() == 1 ? 0 : 4 * (2 * 4 + 2 * 2 + 4 + 4 + (rank == 1 ? 4 : 0) + 2 * MANY);
            return List.of(
                    "all-reduce " + text(sum),
                    "order " + text(order),
                    "reduce-scatter " + text(share),
                    "in chunks " + chunks,
                    "all-gather " + text(all),
                    "broadcast " + text(root),
                    "text " + group.gatherText("rank " + rank, "the text"),
                    "sent " + (group.bytesSent() == sent));
        });
    }

    /** A share of more elements than are exchanged at a time; each of them has its own sum. */
    private static boolean sumsInChunks(ProcessGroup group) {
        Tensor numbers = torch.arange(Tensors.whole(MANY * group.size()))
                .remainder(Tensors.whole(1009))
                .to(torch.ScalarType.Float);
        Tensor share = torch.ones(new long[] {MANY});
        ProcessGroup.join(group.addReduceScatterAsync(share, numbers));
        Tensor own = numbers.narrow(0, MANY * group.rank().rank(), MANY);
        return share.equal(own.mul(Tensors.scalar(group.size())).add(Tensors.scalar(1)));
    }

    private static String text(Tensor tensor) {
        return Arrays.toString(Tensors.toFloats(tensor));
    }

    /** Arguments: seconds of the timeout and number of processes; {@code dies} if rank 1 is to end before the exchanges. */
    static final class Exchanges {
        public static void main(String[] args) {
            Rank rank = Rank.fromEnvironment(System.getenv());
            if (args.length > 0) {
                rank = rank.withTimeout(Duration.ofSeconds(Integer.parseInt(args[0])));
                ForkedRanks.awaitOthers(Integer.parseInt(args[1]));
            }
            int exitCode = 0;
            try (ProcessGroup group = ProcessGroup.join(rank, Engine.device("cpu"))) {
                if (args.length > 2 && rank.rank() == 1) {
                    Runtime.getRuntime().halt(9);
                }
                exchanges(group).forEach(System.out::println);
            } catch (LlavaException e) {
                System.err.println(e.getMessage());
                exitCode = 1;
            }
            System.exit(exitCode);
        }
    }

    /** Closes the group while tensors are on their way. */
    static final class ClosesEarly {
        public static void main(String[] args) {
            ProcessGroup group = ProcessGroup.join(Rank.fromEnvironment(System.getenv()), Engine.device("cpu"));
            Engine.scope("exchanges", () -> {
                Tensor ones = torch.ones(new long[] {MANY});
                CompletableFuture<Void> exchange = CompletableFuture.allOf(
                        group.allReduceAsync(ones), group.allReduceAsync(torch.ones(new long[] {MANY})));
                group.close();
                System.out.printf(
                        "done %b, sum %b%n",
                        exchange.isDone() && !exchange.isCompletedExceptionally(),
                        ones.eq(Tensors.scalar(2)).all().item_bool());
                return null;
            });
            System.exit(0);
        }
    }
}
