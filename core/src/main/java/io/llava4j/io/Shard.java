package io.llava4j.io;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A contiguous part of a list of questions or records, as LLaVA splits them: {@code ceil(N / count)} each, fewer in the last.
 *
 * @param index from 1
 * @param count number of shards
 */
public record Shard(int index, int count) {
    private static final Pattern NAME = Pattern.compile(".*\\.(\\d{1,6})-of-(\\d{1,6})(?:\\.[^.]*)?");
    private static final Pattern TEXT = Pattern.compile("(\\d{1,6})/(\\d{1,6})");

    /** @throws ConfigException if the index is not from 1 to the count */
    public Shard {
        if (index < 1 || index > count) {
            throw new ConfigException(
                    "shard %d/%d does not exist; the first of 8 is 1/8, the last 8/8".formatted(index, count));
        }
    }

    /** Reads {@code 2/8}. */
    public static Shard parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new ConfigException("'%s' is not a shard; write the second of eight as 2/8".formatted(text));
        }
        return new Shard(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
    }

    /** Index of its first element. */
    public int from(int size) {
        return (int) Math.min(size, (index - 1L) * Math.ceilDiv(size, count));
    }

    /** Index after its last element. */
    public int to(int size) {
        return (int) Math.min(size, (long) index * Math.ceilDiv(size, count));
    }

    /** The shard's part of a list. */
    public <T> List<T> of(List<T> all) {
        return all.subList(from(all.size()), to(all.size()));
    }

    /** Where its answers go: {@code answers.2-of-8.jsonl} beside {@code answers.jsonl}. */
    public Path file(Path answers) {
        String name = answers.getFileName().toString();
        int dot = name.lastIndexOf('.');
        String stem = dot < 0 ? name : name.substring(0, dot);
        String ending = dot < 0 ? "" : name.substring(dot);
        return answers.resolveSibling("%s.%d-of-%d%s".formatted(stem, index, count, ending));
    }

    /**
     * The complete files of shards that lie beside a file.
     *
     * @return in the order of the files' names
     */
    public static SequencedMap<Shard, Path> beside(Path whole) {
        TreeMap<String, Path> found = new TreeMap<>();
        Path folder = whole.toAbsolutePath().getParent();
        if (folder != null && Files.isDirectory(folder)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*-of-*")) {
                files.forEach(file -> found.put(file.getFileName().toString(), file));
            } catch (IOException e) {
                throw new DataException("%s: cannot be listed (%s)".formatted(folder, e.getMessage()), e);
            }
        }
        SequencedMap<Shard, Path> shards = new LinkedHashMap<>();
        found.forEach((name, file) -> {
            Matcher numbers = NAME.matcher(name);
            if (numbers.matches()) {
                int index = Integer.parseInt(numbers.group(1));
                int count = Integer.parseInt(numbers.group(2));
                if (index >= 1 && index <= count) {
                    Shard shard = new Shard(index, count);
                    if (shard.file(whole).getFileName().toString().equals(name)) {
                        shards.put(shard, file);
                    }
                }
            }
        });
        return shards;
    }

    @Override
    public String toString() {
        return index + "/" + count;
    }
}
