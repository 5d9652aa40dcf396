package io.llava4j.checkpoint;

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
 * The files of a model, and a fingerprint that answers of other weights in a folder of the same name do not share. From large files
 * it reads blocks spread over the whole length: training changes them all. Packed weights are none of the model's files.
 *
 * @param bytes of all files
 * @param fingerprint SHA-256 of the files' names, sizes and blocks, in hexadecimal
 */
public record ModelFiles(long bytes, String fingerprint) {
    private static final int BLOCK = 1 << 14;
    private static final int BLOCKS = 256;

    /**
     * Reads them.
     *
     * @param parts the model's folder or GGUF file, and whatever is stored separately from it
     * @throws CheckpointException if they cannot be read
     */
    public static ModelFiles of(List<Path> parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            long bytes = 0;
            for (Path part : parts) {
                // A file is named to be read without its neighbours.
                for (Path file : Files.isDirectory(part) ? filesIn(part) : List.of(part)) {
                    bytes += add(digest, file);
                }
            }
            return new ModelFiles(bytes, HexFormat.of().formatHex(digest.digest()));
        } catch (IOException e) {
            throw new CheckpointException("the model %s cannot be read".formatted(parts.getFirst()), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static List<Path> filesIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> Files.isRegularFile(file) && !ModelParts.isPacked(file))
                    .sorted()
                    .toList();
        }
    }

    private static long add(MessageDigest digest, Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            digest.update((file.getFileName() + "\0" + size + "\0").getBytes(StandardCharsets.UTF_8));
            ByteBuffer block = ByteBuffer.allocate(BLOCK);
            long stride = Math.max(BLOCK, size / BLOCKS);
            for (long at = 0; at < size; at += stride) {
                channel.read(block.clear(), at);
                digest.update(block.flip());
            }
            return size;
        }
    }
}
