package io.llava4j.spark;

import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of a mixture, {@code NAME-00000.jsonl} and following. The content of a file depends on the mixture and the
 * number of files alone, and a file is complete or missing, so a file that exists is kept. Concatenated they are the file
 * of a run on one machine.
 *
 * @param folder of the mixture, on a file system that all machines see
 * @param name of the mixture
 * @param count of files
 */
record Shards(String folder, String name, int count) implements Serializable {
    private static final String KEY = ".shards";

    /** The pattern of their names, as {@link io.llava4j.train.data.format.DataFiles} reads it. */
    String pattern() {
        return "%s-{%05d..%05d}.jsonl".formatted(name, 0, count - 1);
    }

    private Path file(int shard) {
        return Path.of(folder, "%s-%05d.jsonl".formatted(name, shard));
    }

    /**
     * Prepares the folder: removes files of another mixture or of another number of shards.
     *
     * @param key of the mixture
     */
    void begin(String key) {
        Path keyFile = Path.of(folder, KEY);
        try {
            if (!Files.isRegularFile(keyFile) || !Files.readString(keyFile).equals(key)) {
                Pattern old = Pattern.compile(Pattern.quote(name) + "-\\d{5,}\\.jsonl");
                remove(file -> old.matcher(file).matches());
                AtomicFiles.write(keyFile, key.getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw cannotWrite(e);
        }
    }

    /** Numbers of the files that are missing. */
    List<Integer> missing() {
        List<Integer> missing = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (!Files.isRegularFile(file(i))) {
                missing.add(i);
            }
        }
        return missing;
    }

    /**
     * Writes a file.
     *
     * @param shard number of the file
     * @param attempt number of the task attempt; several may run at once
     * @param records JSON objects in UTF-8
     */
    void write(int shard, long attempt, Iterator<byte[]> records) {
        Path own = Path.of(folder, ".%s-%05d.attempt-%d".formatted(name, shard, attempt));
        AtomicFiles.write(own, channel -> {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 18);
            while (records.hasNext()) {
                out.write(records.next());
                out.write('\n');
            }
            out.flush();
        });
        try {
            Files.move(own, file(shard), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw cannotWrite(e);
        }
    }

    /** Removes the temporary files of killed attempts. */
    void end() {
        try {
            remove(file -> file.startsWith("." + name + "-") || file.startsWith(".." + name + "-"));
        } catch (IOException e) {
            throw cannotWrite(e);
        }
    }

    private void remove(Predicate<String> named) throws IOException {
        try (Stream<Path> files = Files.list(Path.of(folder))) {
            for (Path file : files.toList()) {
                if (named.test(file.getFileName().toString())) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private DataException cannotWrite(IOException e) {
        return new DataException("the mixture in %s cannot be written: %s".formatted(folder, e.getMessage()), e);
    }
}
