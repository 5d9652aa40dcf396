package io.llava4j.app.store;

import io.llava4j.LlavaException;
import io.llava4j.io.FileErrors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Downloads files of one commit. A file appears under its name when it is whole and its hash is the hub's; until then it is
 * {@code NAME.part}, which the next attempt, or the next run, continues.
 */
final class Download {
    private static final int ATTEMPTS = 6;
    private static final int BUFFER = 1 << 18;

    private final Hub hub;
    private final RepoName repo;
    private final String commit;
    private final Duration pause;

    /** @param pause before the second attempt; doubled with each further one */
    Download(Hub hub, RepoName repo, String commit, Duration pause) {
        this.hub = hub;
        this.repo = repo;
        this.commit = commit;
        this.pause = pause;
    }

    /** Bytes of a file that are there already. */
    static long present(Path folder, HubFile file) {
        try {
            Path whole = folder.resolve(file.name());
            Path part = part(folder, file);
            return Files.exists(whole) ? Files.size(whole) : Files.exists(part) ? Files.size(part) : 0;
        } catch (IOException e) {
            throw FileErrors.cannotRead(folder, e);
        }
    }

    /**
     * Gets a file, unless it is there.
     *
     * @param progress receives the bytes of this file that are there
     * @throws LlavaException naming file and cause, if it cannot be had; what came stays for another run
     */
    void get(Path folder, HubFile file, LongConsumer progress) {
        if (Files.exists(folder.resolve(file.name()))) {
            return;
        }
        boolean damaged = false;
        for (int attempt = 1; ; attempt++) {
            long before = present(folder, file);
            try {
                String wrong = attempt(folder, file, progress);
                if (wrong == null) {
                    return;
                }
                if (damaged) {
                    throw new LlavaException("%s of %s is damaged: %s, twice; try again later, or another HF_ENDPOINT"
                            .formatted(file.name(), repo, wrong));
                }
                damaged = true;
            } catch (IOException e) {
                boolean advanced = present(folder, file) > before;
                attempt = advanced ? 1 : attempt;
                if (attempt >= ATTEMPTS) {
                    throw new LlavaException(
                            "%s of %s cannot be downloaded: %s; the same command continues where it stopped"
                                    .formatted(file.name(), repo, Hub.reason(e)),
                            e);
                }
                sleep(pause.multipliedBy(1L << (attempt - 1)));
            }
        }
    }

    /** Null if the file is whole; otherwise what is wrong with it, after it was removed. */
    private @Nullable String attempt(Path folder, HubFile file, LongConsumer progress) throws IOException {
        Path part = part(folder, file);
        long present = present(folder, file);
        long size = file.size();
        if (present > size && size >= 0) {
            Files.delete(part);
            present = 0;
        }
        if (present != size) {
            receive(file, part, present, progress);
        }
        String wrong = mismatch(file, part);
        if (wrong == null) {
            Files.move(part, folder.resolve(file.name()), StandardCopyOption.ATOMIC_MOVE);
            return null;
        }
        Files.delete(part);
        progress.accept(0);
        return wrong;
    }

    private void receive(HubFile file, Path part, long present, LongConsumer progress) throws IOException {
        Hub.Body body = hub.open(repo, commit, file, present);
        try (InputStream in = body.bytes();
                FileChannel out = channel(part)) {
            out.truncate(body.from());
            out.position(body.from());
            byte[] buffer = new byte[BUFFER];
            long done = body.from();
            for (int read; (read = in.read(buffer)) >= 0; ) {
                write(part, out, ByteBuffer.wrap(buffer, 0, read));
                done += read;
                progress.accept(done);
                if (file.size() >= 0 && done > file.size()) {
                    break; // the hash will not fit
                }
            }
            out.force(true);
            if (done < file.size()) {
                throw new IOException("the connection broke after %,d of %,d bytes".formatted(done, file.size()));
            }
        }
    }

    private static FileChannel channel(Path part) {
        try {
            return FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw FileErrors.cannotWrite(part, e);
        }
    }

    private static void write(Path part, FileChannel out, ByteBuffer bytes) {
        try {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        } catch (IOException e) {
            throw FileErrors.cannotWrite(part, e); // a full disk is not mended by another attempt
        }
    }

    private static @Nullable String mismatch(HubFile file, Path part) throws IOException {
        long size = Files.size(part);
        if (file.size() >= 0 && size != file.size()) {
            return "it has %,d bytes, the hub says %,d".formatted(size, file.size());
        }
        if (file.sha256() != null) {
            return differs("SHA-256", file.sha256(), hash("SHA-256", "", part));
        }
        return file.gitBlob() == null
                ? null
                : differs("Git hash", file.gitBlob(), hash("SHA-1", "blob " + size + "\0", part));
    }

    private static @Nullable String differs(String kind, String expected, String found) {
        return expected.equals(found) ? null : "its %s is %s, the hub says %s".formatted(kind, found, expected);
    }

    private static String hash(String algorithm, String prefix, Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            digest.update(prefix.getBytes(StandardCharsets.US_ASCII));
            byte[] buffer = new byte[BUFFER];
            for (int read; (read = in.read(buffer)) >= 0; ) {
                digest.update(buffer, 0, read);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has " + algorithm, e);
        }
    }

    private static Path part(Path folder, HubFile file) {
        return folder.resolve(file.name() + ".part");
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LlavaException("the download was interrupted", e);
        }
    }
}
