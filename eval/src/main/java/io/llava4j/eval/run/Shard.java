package io.llava4j.eval.run;

import io.llava4j.ConfigException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A contiguous part of the questions, as LLaVA splits them: {@code ceil(N / count)} each, fewer in the last.
 *
 * @param index from 1
 * @param count number of shards
 */
public record Shard(int index, int count) {
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

    /** The shard's part of a list. */
    public <T> List<T> of(List<T> all) {
        int size = Math.ceilDiv(all.size(), count);
        int from = Math.min(all.size(), (index - 1) * size);
        return all.subList(from, Math.min(all.size(), from + size));
    }

    /** Where its answers go: {@code answers.2-of-8.jsonl} beside {@code answers.jsonl}. */
    public Path file(Path answers) {
        String name = answers.getFileName().toString();
        int dot = name.lastIndexOf('.');
        String stem = dot < 0 ? name : name.substring(0, dot);
        String ending = dot < 0 ? "" : name.substring(dot);
        return answers.resolveSibling("%s.%d-of-%d%s".formatted(stem, index, count, ending));
    }

    @Override
    public String toString() {
        return index + "/" + count;
    }
}
