package io.llava4j.app.cli;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Names a model by its folder and a fingerprint, so that answers of other weights in a folder of the same name are not
 * taken for this model's. From large files it reads blocks spread over the whole length: training changes them all.
 */
final class ModelId {
    private static final int BLOCK = 1 << 14;
    private static final int BLOCKS = 256;
    private static final int SHOWN_BYTES = 4;

    private ModelId() {}

    /**
     * For example {@code model-1f00ab34}.
     *
     * @param parts the model's folder or GGUF file, and whatever is stored separately from it
     * @throws CheckpointException if it cannot be read
     */
    static String of(List<Path> parts) {
        Path directory = parts.getFirst();
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path part : parts) {
                // A file is named to be read without its neighbours.
                for (Path file : Files.isDirectory(part) ? filesIn(part) : List.of(part)) {
                    add(digest, file);
                }
            }
            String fingerprint = HexFormat.of().formatHex(digest.digest(), 0, SHOWN_BYTES);
            return directory.toRealPath().getFileName() + "-" + fingerprint;
        } catch (IOException e) {
            throw new CheckpointException("the model %s cannot be read".formatted(directory), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static List<Path> filesIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static void add(MessageDigest digest, Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            digest.update((file.getFileName() + "\0" + size + "\0").getBytes(StandardCharsets.UTF_8));
            ByteBuffer block = ByteBuffer.allocate(BLOCK);
            long stride = Math.max(BLOCK, size / BLOCKS);
            for (long at = 0; at < size; at += stride) {
                channel.read(block.clear(), at);
                digest.update(block.flip());
            }
        }
    }
}
