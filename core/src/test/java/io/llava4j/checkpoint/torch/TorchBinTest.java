package io.llava4j.checkpoint.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.llava4j.CheckpointException;
import io.llava4j.LlavaException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.WeightFiles;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.layout.WeightFile;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.io.StrictJson;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.format.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.bytedeco.pytorch.ByteVector;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TorchBinTest {
    private static final Path TINY = Path.of("../../shared/goldens/tiny-llava");
    private static final long[] NONE = {};

    @TempDir
    private Path dir;

    @Test
    void theReferencesConnectorIsReadBitForBit() {
        needGoldens();
        try (TorchBin bin = TorchBin.open(TINY.resolve("mha/mm_projector.bin"));
                SafeTensors same = SafeTensors.open(TINY.resolve("mha/mm_projector.safetensors"));
                Checkpoint alone =
                        Checkpoint.open(TINY.resolve("mha/mm_projector.bin")).requireComplete()) {
            assertSame(bin.tensors(), same.tensors());
            assertThat(alone.kind()).isEqualTo(new ModelKind.Projector("mlp2x_gelu", 64, 96));
        }
    }

    @Test
    void theReferencesHalfPrecisionModelIsTheRoundedFullOne() {
        needGoldens();
        try (Checkpoint bin =
                        Checkpoint.open(TINY.resolve("mha/liuhaotian-bin-fp16")).requireComplete();
                Checkpoint full = Checkpoint.open(TINY.resolve("mha/liuhaotian-fp32"))) {
            assertThat(bin.layout()).isEqualTo(CheckpointLayout.LIUHAOTIAN);
            assertThat(bin.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(full.tensors().keySet());
            bin.tensors().forEach((name, tensor) -> {
                float[] rounded = full.tensor(name).toFloats();
                if (tensor.dtype() == DType.F16) {
                    for (int i = 0; i < rounded.length; i++) {
                        rounded[i] = Float.float16ToFloat(Float.floatToFloat16(rounded[i]));
                    }
                }
                assertThat(tensor.toFloats()).as(name).isEqualTo(rounded);
            });
        }
    }

    @Test
    void shardsWithAnIndexAndAnEmbeddedTowerAreReadAsOneModel() throws IOException {
        needGoldens();
        Path source = TINY.resolve("gqa/liuhaotian-withtower-bf16");
        Path copy = Files.createDirectories(dir.resolve("sharded"));
        // Only the tower's shape comes from its own folder. A stale stage-1 file and settings lie about.
        Path tower = Files.createDirectories(dir.resolve("clip-vit-tiny"));
        Files.copy(TINY.resolve("gqa/clip-vit-tiny/config.json"), tower.resolve("config.json"));
        Files.copy(source.resolve("config.json"), copy.resolve("config.json"));
        Files.copy(TINY.resolve("mha/mm_projector.bin"), copy.resolve("mm_projector.bin"));
        Files.writeString(copy.resolve("training_args.bin"), "not weights");
        try (WeightFiles weights = WeightFiles.open(source)) {
            List<List<TensorSource>> shards = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
            Map<String, String> map = new TreeMap<>();
            weights.tensors().values().forEach(tensor -> {
                int shard = Math.floorMod(tensor.name().hashCode(), 3);
                shards.get(shard).add(TensorSource.of(tensor));
                map.put(tensor.name(), "pytorch_model-0000%d-of-00003.bin".formatted(shard + 1));
            });
            for (int i = 0; i < 3; i++) {
                TorchBinWriter.write(copy.resolve("pytorch_model-0000%d-of-00003.bin".formatted(i + 1)), shards.get(i));
            }
            Files.write(
                    copy.resolve("pytorch_model.bin.index.json"),
                    StrictJson.MAPPER.writeValueAsBytes(Map.of("metadata", Map.of(), "weight_map", map)));
            try (Checkpoint read = Checkpoint.open(copy).requireComplete();
                    Checkpoint wanted = Checkpoint.open(source)) {
                assertSame(read.tensors(), wanted.tensors());
            }
        }
        Files.delete(copy.resolve("pytorch_model-00002-of-00003.bin"));
        assertThatThrownBy(() -> Checkpoint.open(copy)).hasMessageContaining("pytorch_model-00002-of-00003.bin");
    }

    @Test
    void aConnectorBesideItsConfigurationIsFoundByItsContent() throws IOException {
        needGoldens();
        Path folder = Files.createDirectories(dir.resolve("any-name"));
        Files.copy(TINY.resolve("mha/mm_projector.bin"), folder.resolve("mm_projector.bin"));
        Files.copy(TINY.resolve("mha/liuhaotian-fp32/config.json"), folder.resolve("config.json"));
        try (Checkpoint checkpoint = Checkpoint.open(folder).requireComplete()) {
            assertThat(checkpoint.kind()).isInstanceOf(ModelKind.Projector.class);
        }
    }

    @Test
    void everyTypeAndShapeComesBack() {
        List<TensorSource> tensors = new ArrayList<>();
        Random random = new Random(1);
        for (DType dtype : DType.values()) {
            for (long[] shape : new long[][] {{}, {0}, {7}, {3, 5}, {2, 0, 4}, {1, 2, 3, 4}}) {
                long elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
                byte[] data = new byte[Math.toIntExact(elements * dtype.bytes())];
                random.nextBytes(data);
                tensors.add(new TensorSource(
                        dtype + Arrays.toString(shape), dtype, shape, () -> MemorySegment.ofArray(data)));
            }
        }
        Path file = dir.resolve("all.bin");
        TorchBinWriter.write(file, tensors);
        try (WeightFile read = WeightFiles.openFile(file)) {
            assertThat(read).isInstanceOf(TorchBin.class);
            assertThat(read.tensors()).hasSize(tensors.size());
            for (TensorSource tensor : tensors) {
                TensorEntry entry = Objects.requireNonNull(read.tensors().get(tensor.name()));
                assertThat(entry.dtype()).isEqualTo(tensor.dtype());
                assertThat(entry.shape()).isEqualTo(tensor.shape());
                assertThat(entry.data().mismatch(tensor.data().get())).isEqualTo(-1);
            }
        }
    }

    /** What torch's own reader makes of a file of ours. */
    @Test
    void torchItselfReadsWhatIsWritten() throws IOException {
        float[] matrix = ascending(12);
        Path file = dir.resolve("written.bin");
        TorchBinWriter.write(
                file,
                List.of(TensorSource.of("matrix", matrix, 3, 4), TensorSource.of("longs", new long[] {1L << 40}, 1)));
        byte[] bytes = Files.readAllBytes(file);
        Engine.scope("torch's own reader", () -> {
            ByteVector vector = new ByteVector(bytes);
            var dictionary = torch.pickle_load(vector).toGenericDict();
            Tensor read = dictionary.at(new IValue("matrix")).toTensor();
            assertThat(Tensors.shape(read)).containsExactly(3, 4);
            assertThat(Tensors.toFloats(read)).isEqualTo(matrix);
            assertThat(Tensors.toLongs(dictionary.at(new IValue("longs")).toTensor()))
                    .containsExactly(1L << 40);
            return null;
        });
    }

    @Test
    void offsetsAndStridesAreHonoured() throws IOException {
        float[] stored = ascending(24);
        record Case(long offset, long[] shape, long[] strides, float... wanted) {}
        for (Case one : List.of(
                new Case(2, new long[] {3}, new long[] {1}, 2, 3, 4),
                new Case(0, new long[] {3, 2}, new long[] {1, 3}, 0, 3, 1, 4, 2, 5),
                new Case(1, new long[] {2, 2, 2}, new long[] {12, 1, 4}, 1, 5, 2, 6, 13, 17, 14, 18),
                new Case(5, new long[] {1, 3}, new long[] {999, 2}, 5, 7, 9),
                new Case(23, NONE, NONE, 23),
                new Case(4, new long[] {2, 3}, new long[] {0, 1}, 4, 5, 6, 4, 5, 6),
                new Case(24, new long[] {0, 5}, new long[] {5, 1}))) {
            try (TorchBin bin =
                    TorchBin.open(archive(tensorPickle(one.offset(), one.shape(), one.strides()), stored))) {
                TensorEntry tensor = Objects.requireNonNull(bin.tensors().get("t"));
                assertThat(tensor.shape()).isEqualTo(one.shape());
                assertThat(tensor.toFloats()).isEqualTo(one.wanted());
            }
        }
    }

    @Test
    void viewsThatLeadOutOfTheirStorageOrBlowUpAreRefused() throws IOException {
        record Case(long offset, long[] shape, long[] strides, String message) {}
        for (Case one : List.of(
                new Case(22, new long[] {3}, new long[] {1}, "lead out of its storage of 24 numbers"),
                new Case(0, new long[] {2, 13}, new long[] {12, 1}, "lead out of its storage"),
                new Case(1L << 62, new long[] {1}, new long[] {1}, "lead out of its storage"),
                new Case(0, new long[] {1L << 40, 1L << 40}, new long[] {0, 0}, "beyond all memory"),
                new Case(0, new long[] {3, 3}, new long[] {1L << 62, 1L << 62}, "beyond all memory"),
                new Case(0, new long[] {1L << 40}, new long[] {0}, "far larger than what is stored"),
                new Case(0, new long[] {2}, new long[] {1, 1}, "1 sizes and 2 strides"),
                new Case(0, new long[] {-1}, new long[] {1}, "negative"))) {
            refused(archive(tensorPickle(one.offset(), one.shape(), one.strides()), new float[24]), one.message());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "os, system",
        "posix, system",
        "builtins, eval",
        "builtins, getattr",
        "torch, load",
        "torch._utils, _rebuild_sparse_tensor",
        "torch, QUInt8Storage",
        "transformers.training_args, TrainingArguments",
        "numpy.core.multiarray, _reconstruct"
    })
    void namesThatNoTensorNeedsAreRefusedByName(String module, String name) throws IOException {
        byte[] call = new Pickle()
                .op('c')
                .line(module)
                .line(name)
                .op('X')
                .text("touch x")
                .op(0x85)
                .op('R')
                .end();
        refused(archive(call, new float[1]), "calls for '" + module + "." + name + "'");
    }

    @ParameterizedTest
    @CsvSource({"105, INST", "111, OBJ", "129, NEWOBJ", "130, EXT1", "147, STACK_GLOBAL", "149, FRAME", "255, 0xff"})
    void operationsThatNoTensorNeedsAreRefusedByName(int operation, String name) throws IOException {
        refused(archive(new Pickle().op(operation).line("os").line("system").end(), new float[1]), name);
    }

    @Test
    void picklesThatMakeNoSenseAreRefused() throws IOException {
        byte[] good = tensorPickle(0, new long[] {24}, new long[] {1});
        for (int length = 0; length < good.length; length++) {
            refused(archive(Arrays.copyOf(good, length), new float[24]), "");
        }
        refused(archive(new Pickle().op('t').end(), new float[1]), "takes more from its stack");
        refused(archive(new Pickle().op('(').op('R').end(), new float[1]), "takes more from its stack");
        refused(archive(new Pickle().op('h').op(7).end(), new float[1]), "has not made");
        refused(archive(new Pickle().op('X').raw(0xff, 0xff, 0xff, 0x7f).end(), new float[1]), "ends in the middle");
        refused(archive(new Pickle().op('X').raw(0xff, 0xff, 0xff, 0xff).end(), new float[1]), "ends in the middle");
        refused(archive(new Pickle().op(0x8a).raw(9, 0, 0, 0, 0, 0, 0, 0, 0, 0).end(), new float[1]), "9 bytes");
        refused(archive(new Pickle().op('}').op('K').op(1).op('K').op(2).op('s').end(), new float[1]), "as a key");
        refused(
                archive(
                        new Pickle()
                                .op('}')
                                .op('X')
                                .text("a")
                                .op('K')
                                .op(2)
                                .op('s')
                                .end(),
                        new float[1]),
                "not a tensor");
        refused(archive(new Pickle().op('K').op(1).op('}').op('b').end(), new float[1]), "BUILD");
        refused(archive(new byte[] {(byte) 0x80, 4, '}', '.'}, new float[1]), "protocol 4");
        byte[] large = new byte[TorchPickle.LARGEST + 1];
        Arrays.fill(large, (byte) ']');
        refused(archive(large, new float[1]), "too many");
    }

    @Test
    void aStorageOfAnotherSizeOrNoneIsRefused() throws IOException {
        refused(archive(tensorPickle(0, new long[] {24}, new long[] {1}), new float[23]), "92 bytes where 24 numbers");
        Path file = zip(Map.of("a/data.pkl", tensorPickle(0, new long[] {24}, new long[] {1})), ZipEntry.STORED);
        refused(file, "storage data/0 is missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../etc/passwd", "/etc/passwd", "a/../data/0", "a\\b", "C:/x", "a//b", "a/./b"})
    void namesThatLeadElsewhereAreRefused(String name) throws IOException {
        Map<String, byte[]> entries = good();
        entries.put(name, new byte[4]);
        refused(zip(entries, ZipEntry.STORED), "not named as torch names entries");
    }

    @Test
    void compressedBigEndianAndForeignArchivesAreRefused() throws IOException {
        refused(zip(good(), ZipEntry.DEFLATED), "is compressed");
        Map<String, byte[]> big = good();
        big.put("a/byteorder", "big".getBytes(StandardCharsets.US_ASCII));
        refused(zip(big, ZipEntry.STORED), "big-endian");
        Map<String, byte[]> two = good();
        two.put("b/data.pkl", new byte[] {'}', '.'});
        refused(zip(two, ZipEntry.STORED), "holds 2 entries */data.pkl");
        refused(zip(Map.of("x/y", new byte[3]), ZipEntry.STORED), "holds 0 entries");
        Path old = Files.write(dir.resolve("old.bin"), new byte[] {(byte) 0x80, 2, (byte) 0x8a, 10, 1, 2, 3});
        refused(old, "before version 1.6");
    }

    /** Every way to cut a file short or to alter one byte of its structure ends in one sentence or in tensors. */
    @Test
    void damagedArchivesNeverEscapeTheReader() throws IOException {
        Path good = archive(tensorPickle(0, new long[] {24}, new long[] {1}), new float[24]);
        byte[] bytes = Files.readAllBytes(good);
        for (int length = 4; length < bytes.length; length++) {
            refused(Files.write(dir.resolve("cut.bin"), Arrays.copyOf(bytes, length)), "");
        }
        Random random = new Random(5);
        int refused = 0;
        for (int i = 4; i < bytes.length; i++) {
            for (int value : new int[] {0, 0xff, random.nextInt(256)}) {
                byte[] altered = bytes.clone();
                altered[i] = (byte) value;
                Throwable thrown = catchThrowable(() -> {
                    try (TorchBin bin = TorchBin.open(Files.write(dir.resolve("altered.bin"), altered))) {
                        bin.tensors().values().forEach(TensorEntry::toBytes);
                    }
                });
                if (thrown != null) {
                    assertThat(thrown).as("byte %d set to %d", i, value).isInstanceOf(LlavaException.class);
                    refused++;
                }
            }
        }
        assertThat(refused).isGreaterThan(bytes.length / 2);
    }

    /** One entry hidden in the content of another, as overlapping zip bombs are made. */
    @Test
    void overlappingEntriesAreRefused() throws IOException {
        Map<String, byte[]> entries = good();
        entries.put("a/data/1", new byte[96]);
        byte[] plain = Files.readAllBytes(zip(entries, ZipEntry.STORED));
        int header = directoryEntry(plain, 2).getInt(42);
        entries.put("a/data/0", Arrays.copyOfRange(plain, header, header + 30 + "a/data/1".length() + 10));
        entries.put("a/data/1", new byte[10]);
        byte[] bytes = Files.readAllBytes(zip(entries, ZipEntry.STORED));
        int outer = directoryEntry(bytes, 1).getInt(42);
        directoryEntry(bytes, 2).putInt(42, outer + 30 + "a/data/0".length());
        refused(Files.write(dir.resolve("overlap.bin"), bytes), "entry 'a/data/1' overlaps another one");
    }

    /** The n-th entry of an archive's directory. */
    private static ByteBuffer directoryEntry(byte[] zip, int n) {
        ByteBuffer buffer = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
        int at = buffer.getInt(zip.length - 6);
        for (int i = 0; i < n; i++) {
            at += 46 + buffer.getShort(at + 28) + buffer.getShort(at + 30);
        }
        return buffer.slice(at, 46).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** 0, 1, 2, … */
    private static float[] ascending(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i;
        }
        return values;
    }

    private static void needGoldens() {
        Assumptions.assumeTrue(Files.isDirectory(TINY), "no reference data at " + TINY);
    }

    private static void assertSame(Map<String, TensorEntry> actual, Map<String, TensorEntry> wanted) {
        assertThat(actual.keySet()).containsExactlyInAnyOrderElementsOf(wanted.keySet());
        wanted.forEach((name, tensor) -> {
            TensorEntry own = Objects.requireNonNull(actual.get(name));
            assertThat(own.dtype()).isEqualTo(tensor.dtype());
            assertThat(own.shape()).isEqualTo(tensor.shape());
            assertThat(own.data().mismatch(tensor.data())).as(name).isEqualTo(-1);
        });
    }

    private static void refused(Path file, String message) {
        assertThatThrownBy(() -> TorchBin.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(String.valueOf(file.getFileName()))
                .hasMessageContaining(message);
    }

    /** Operations of a pickle, one after the other. */
    private static final class Pickle {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Pickle() {
            raw(0x80, 2);
        }

        Pickle op(int code) {
            return raw(code);
        }

        Pickle raw(int... bytes) {
            for (int value : bytes) {
                out.write(value);
            }
            return this;
        }

        Pickle line(String text) {
            out.writeBytes((text + "\n").getBytes(StandardCharsets.UTF_8));
            return this;
        }

        Pickle text(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            out.writeBytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(bytes.length)
                    .array());
            out.writeBytes(bytes);
            return this;
        }

        Pickle number(long value) {
            raw(0x8a, 8);
            out.writeBytes(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(value)
                    .array());
            return this;
        }

        Pickle numbers(long... values) {
            op('(');
            for (long value : values) {
                number(value);
            }
            return op('t');
        }

        byte[] end() {
            out.write('.');
            return out.toByteArray();
        }
    }

    /** A dictionary as a module's state_dict() is pickled: one tensor, a view of 24 floats, and _metadata. */
    private static byte[] tensorPickle(long offset, long[] shape, long[] strides) {
        return new Pickle()
                .op('c')
                .line("collections")
                .line("OrderedDict")
                .op('q')
                .op(0)
                .op(')')
                .op('R')
                .op('(')
                .op('X')
                .text("t")
                .op('c')
                .line("torch._utils")
                .line("_rebuild_tensor_v2")
                .op('(')
                .op('(')
                .op('X')
                .text("storage")
                .op('c')
                .line("torch")
                .line("FloatStorage")
                .op('X')
                .text("0")
                .op('X')
                .text("cuda:0")
                .op('K')
                .op(24)
                .op('t')
                .op('Q')
                .number(offset)
                .numbers(shape)
                .numbers(strides)
                .op(0x89)
                .op('h')
                .op(0)
                .op(')')
                .op('R')
                .op('t')
                .op('R')
                .op('u')
                .op('}')
                .op('X')
                .text("_metadata")
                .op('h')
                .op(0)
                .op(')')
                .op('R')
                .op('s')
                .op('b')
                .end();
    }

    private static Map<String, byte[]> good() {
        Map<String, byte[]> entries = new TreeMap<>();
        entries.put("a/data.pkl", tensorPickle(0, new long[] {24}, new long[] {1}));
        entries.put("a/data/0", new byte[96]);
        return entries;
    }

    private Path archive(byte[] pickle, float[] storage) throws IOException {
        ByteBuffer data = ByteBuffer.allocate(4 * storage.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : storage) {
            data.putFloat(value);
        }
        return zip(new TreeMap<>(Map.of("a/data.pkl", pickle, "a/data/0", data.array())), ZipEntry.STORED);
    }

    private Path zip(Map<String, byte[]> entries, int method) throws IOException {
        Path file = dir.resolve("file.bin");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (Map.Entry<String, byte[]> content : entries.entrySet()) {
                ZipEntry entry = new ZipEntry(content.getKey());
                entry.setMethod(method);
                if (method == ZipEntry.STORED) {
                    CRC32 checksum = new CRC32();
                    checksum.update(content.getValue());
                    entry.setCrc(checksum.getValue());
                    entry.setSize(content.getValue().length);
                }
                zip.putNextEntry(entry);
                zip.write(content.getValue());
                zip.closeEntry();
            }
        }
        return file;
    }
}
