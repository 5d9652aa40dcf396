package io.llava4j.tensor.collective;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who owns the native stores: Java what it constructs, the engine what it counts. */
@Timeout(120)
class SharedStoreTest {
    private static final byte FILL = 0x5a;

    private static Rank rank(int rank, ReservedPort port) {
        return new Rank(rank, 2, rank, "127.0.0.1", port.number(), Duration.ofSeconds(60));
    }

    /** The owner of a counted object is a reference to it; the owner of another one is the object itself. */
    @Test
    void aBackendGetsAStoreWithAReferenceCount() {
        try (ReservedPort port = new ReservedPort();
                SharedStore shared = SharedStore.open(rank(0, port))) {
            Store counted = shared.forBackend("backend");

            assertThat(counted.toString()).contains("ownerAddress=0x").doesNotContain(ownerOf(counted.address()));
            assertThat(Engine.<Boolean>scope("a constructed store", () -> {
                        Store constructed = new PrefixStore("java", counted);
                        return constructed.toString().contains(ownerOf(constructed.address()));
                    }))
                    .isTrue();
            counted.releaseReference();
        }
    }

    private static String ownerOf(long address) {
        return "ownerAddress=0x" + Long.toHexString(address);
    }

    @Test
    void aBackendsStoreIsTheSameStoreUnderAPrefix() {
        try (ReservedPort port = new ReservedPort();
                SharedStore shared = SharedStore.open(rank(0, port))) {
            Store backends = shared.forBackend("backend");
            System.gc();
            Engine.scope("a backend's key", () -> {
                backends.set("key", "value");
                return null;
            });
            backends.releaseReference();

            assertThat(shared.get("backend/key")).isEqualTo("value");
            assertThat(shared.isSet("key")).isFalse();
        }
    }

    /** Memory that joining has freed belongs to others, such as the Java machine, when the group is closed. */
    @Test
    void closingAGroupWritesToNoMemoryThatJoiningHasFreed() {
        for (int round = 0; round < 10; round++) {
            try (ReservedPort port = new ReservedPort()) {
                CompletableFuture<float[]> other = CompletableFuture.supplyAsync(() -> sum(rank(1, port)));
                assertThat(sum(rank(0, port))).containsExactly(3, 3);
                assertThat(other.join()).containsExactly(3, 3);
            }
            System.gc();
        }
    }

    private static float[] sum(Rank rank) {
        ProcessGroup group = ProcessGroup.join(rank, Engine.device("cpu"));
        return Engine.scope("a sum of both ranks", () -> {
            List<BytePointer> others = blocksOfManySizes();
            Tensor terms = Tensors.of(new float[] {rank.rank() + 1, 2 - rank.rank()}, 2);
            group.allReduce(terms);
            group.close();
            assertThat(others).map(SharedStoreTest::changes).containsOnly("");
            return Tensors.toFloats(terms);
        });
    }

    /** The allocator gives what this thread has just freed to who asks for its size next. */
    private static List<BytePointer> blocksOfManySizes() {
        List<BytePointer> blocks = new ArrayList<>();
        for (int size = 8; size <= 512; size += 8) {
            for (int i = 0; i < 16; i++) {
                blocks.add(new BytePointer(size).<BytePointer>fill(FILL));
            }
        }
        return blocks;
    }

    private static String changes(BytePointer block) {
        byte[] bytes = new byte[Math.toIntExact(block.capacity())];
        block.get(bytes);
        return IntStream.range(0, bytes.length)
                .filter(i -> bytes[i] != FILL)
                .mapToObj(i -> "byte %d of %d is %d".formatted(i, bytes.length, bytes[i]))
                .collect(Collectors.joining(", "));
    }
}
