package io.llava4j.train.batch;

import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.FileErrors;
import io.llava4j.io.ResumableFile;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * The answers of one shard. They are collected in any order, each with the index of its record before a tab, and written in the
 * order of the records.
 */
final class AnswerLines {
    private final ResumableFile file;
    private final int from;
    private final int to;
    private final BitSet written = new BitSet();
    private final List<String> failures = new ArrayList<>();
    private int failed;

    /**
     * @param file where they go
     * @param from index of the first record
     * @param to index after the last
     */
    AnswerLines(ResumableFile file, int from, int to) {
        this.file = file;
        this.from = from;
        this.to = to;
    }

    /** Takes a line of the answers, without its line end. */
    @FunctionalInterface
    private interface LineReader {
        void line(int index, String json);
    }

    /**
     * Looks for the answers of earlier runs.
     *
     * @param retry whether failures count as open
     */
    void look(boolean retry) {
        Path earlier = file.earlier();
        if (earlier != null) {
            read(earlier, (index, json) -> note(index, json, retry));
        }
    }

    /** {@link #look} of a run that begins now; failures that are tried again leave the file. */
    void resume(boolean retry) {
        file.resume();
        look(retry);
        Path earlier = file.earlier();
        if (earlier == null || !retry) {
            return;
        }
        AtomicFiles.write(file.part(), channel -> {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
            read(earlier, (index, json) -> {
                try {
                    if (written.get(index)) {
                        out.write(entry(index, json).getBytes(StandardCharsets.UTF_8));
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            out.flush();
        });
        if (isComplete() && written.cardinality() < to - from) {
            file.reopen();
        }
    }

    /** Whether the file of the answers is there. */
    boolean isComplete() {
        return file.isComplete();
    }

    /**
     * Takes over the answers of a finished shard.
     *
     * @param shard its file
     * @param first index of its first record
     * @param end index after its last
     * @param keep whether they are written into the journal, and not only counted
     */
    void adopt(Path shard, int first, int end, boolean retry, boolean keep) {
        AnswerLines other = new AnswerLines(new ResumableFile(shard, ""), first, end);
        other.read(shard, (index, json) -> {
            if (!written.get(index)) {
                note(index, json, retry);
                if (keep && written.get(index)) {
                    file.append(entry(index, json));
                }
            }
        });
    }

    private void note(int index, String json, boolean retry) {
        String failure = BatchLine.failureOf(json);
        if (!failure.isEmpty() && retry) {
            return;
        }
        written.set(index);
        count(failure);
    }

    private void count(String failure) {
        if (!failure.isEmpty()) {
            failed++;
            if (failures.size() < BatchSummary.MAX_FAILURES) {
                failures.add(failure);
            }
        }
    }

    /** Whether a record has its line. */
    boolean has(int index) {
        return written.get(index);
    }

    /** Records with a line. */
    synchronized int count() {
        return written.cardinality();
    }

    /** Failures among them. */
    synchronized int failed() {
        return failed;
    }

    /** Sentences of the first failures. */
    synchronized List<String> failures() {
        return List.copyOf(failures);
    }

    /** Adds the line of a record. */
    synchronized void add(int index, BatchLine line) {
        file.append(entry(index, line.json()));
        written.set(index);
        count(line.failure());
    }

    private static String entry(int index, String json) {
        return index + "\t" + json + "\n";
    }

    /** Writes all lines in the order of their records, once each has one. */
    void finish() {
        if (!file.isComplete()) {
            long[] offsets = new long[to - from];
            int[] lengths = new int[to - from];
            locate(offsets, lengths);
            AtomicFiles.write(file.file(), channel -> {
                if (to == from) {
                    return;
                }
                try (FileChannel part = FileChannel.open(file.part())) {
                    for (int i = 0; i < lengths.length; i++) {
                        for (long sent = 0; sent < lengths[i]; ) {
                            sent += part.transferTo(offsets[i] + sent, lengths[i] - sent, channel);
                        }
                    }
                }
            });
        }
        file.finish();
    }

    private void locate(long[] offsets, int[] lengths) {
        Arrays.fill(lengths, -1);
        if (to > from) {
            lines(file.part(), (offset, line) -> {
                int tab = line.indexOf('\t');
                int at = index(file.part(), line, tab) - from;
                int prefix = tab + 1; // digits and the tab are a byte each
                offsets[at] = offset + prefix;
                lengths[at] = line.getBytes(StandardCharsets.UTF_8).length - prefix + 1;
            });
        }
        for (int i = 0; i < lengths.length; i++) {
            if (lengths[i] < 0) {
                throw new DataException(
                        "%s has no line for record %d; run the batch again".formatted(file.part(), from + i));
            }
        }
    }

    /** Reads the lines of a complete file or of a journal, whichever it is. */
    private void read(Path lines, LineReader reader) {
        boolean whole = lines.equals(file.file());
        int[] next = {from};
        lines(lines, (offset, line) -> {
            int tab = whole ? -1 : line.indexOf('\t');
            int index = whole ? next[0]++ : index(lines, line, tab);
            if (index >= to) {
                throw new DataException("%s has more lines than there are records; delete it".formatted(lines));
            }
            reader.line(index, line.substring(tab + 1));
        });
        if (whole && next[0] < to) {
            throw new DataException("%s has %d lines for %d records; delete it and run the batch again"
                    .formatted(lines, next[0] - from, to - from));
        }
    }

    private int index(Path lines, String line, int tab) {
        int index = tab > 0 && tab < 11 && line.substring(0, tab).matches("\\d+")
                ? (int) Math.min(Integer.MAX_VALUE, Long.parseLong(line.substring(0, tab)))
                : -1;
        if (index < from || index >= to) {
            throw new DataException("%s has a line of no record of this batch; delete it".formatted(lines));
        }
        return index;
    }

    /** Takes a line and the offset of its first byte. */
    @FunctionalInterface
    private interface OffsetReader {
        void line(long offset, String line);
    }

    private static void lines(Path file, OffsetReader reader) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            long offset = 0;
            for (int b = in.read(); b >= 0; b = in.read()) {
                if (b != '\n') {
                    line.write(b);
                    continue;
                }
                int length = line.size();
                reader.line(offset, line.toString(StandardCharsets.UTF_8));
                offset += length + 1L;
                line.reset();
            }
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }
}
