package io.llava4j.train.data.mixture;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * The finished records of a source on disk, one after another, with an index. So a mixture larger than memory is
 * shuffled by copying byte ranges.
 */
final class RecordStore implements AutoCloseable {
    private final FileChannel channel;
    private final Index index;

    /** End and key of each record. */
    private static final class Index {
        private int size;
        private long[] ends = new long[1024];
        private long[] keys = new long[1024];
        /** Number of pairs, negative for text only. */
        private int[] pairs = new int[1024];

        void add(long end, long key, int pairCount) {
            if (size == ends.length) {
                ends = Arrays.copyOf(ends, 2 * size);
                keys = Arrays.copyOf(keys, 2 * size);
                pairs = Arrays.copyOf(pairs, 2 * size);
            }
            ends[size] = end;
            keys[size] = key;
            pairs[size++] = pairCount;
        }
    }

    private RecordStore(FileChannel channel, Index index) {
        this.channel = channel;
        this.index = index;
    }

    static Path recordsFile(Path folder, String source) {
        return folder.resolve(source + ".records");
    }

    private static Path indexFile(Path folder, String source) {
        return folder.resolve(source + ".index");
    }

    static RecordStore open(Path folder, String source) throws IOException {
        Index index = new Index();
        try (DataInputStream in = new DataInputStream(
                new BufferedInputStream(Files.newInputStream(indexFile(folder, source)), 1 << 16))) {
            int size = in.readInt();
            for (int i = 0; i < size; i++) {
                index.add(in.readLong(), in.readLong(), in.readInt());
            }
        }
        return new RecordStore(FileChannel.open(recordsFile(folder, source), StandardOpenOption.READ), index);
    }

    int size() {
        return index.size;
    }

    long key(int record) {
        return index.keys[record];
    }

    int pairs(int record) {
        return Math.abs(index.pairs[record]);
    }

    boolean hasImage(int record) {
        return index.pairs[record] > 0;
    }

    byte[] bytes(int record) throws IOException {
        long begin = record == 0 ? 0 : index.ends[record - 1];
        ByteBuffer buffer = ByteBuffer.allocate((int) (index.ends[record] - begin));
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, begin + buffer.position()) < 0) {
                throw new IOException("the temporary file of records is shorter than its index");
            }
        }
        return buffer.array();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** Writes a store, which is complete after {@link #finish}. */
    static final class Writer implements AutoCloseable {
        private final Path folder;
        private final String source;
        private final OutputStream out;
        private final Index index = new Index();
        private long end;

        Writer(Path folder, String source) throws IOException {
            this.folder = folder;
            this.source = source;
            this.out = new BufferedOutputStream(Files.newOutputStream(recordsFile(folder, source)), 1 << 18);
        }

        void add(MixtureRecord record) throws IOException {
            out.write(record.json());
            end += record.json().length;
            index.add(end, record.key(), record.hasImage() ? record.pairs() : -record.pairs());
        }

        int size() {
            return index.size;
        }

        void finish() throws IOException {
            out.close();
            try (DataOutputStream to = new DataOutputStream(
                    new BufferedOutputStream(Files.newOutputStream(indexFile(folder, source)), 1 << 16))) {
                to.writeInt(index.size);
                for (int i = 0; i < index.size; i++) {
                    to.writeLong(index.ends[i]);
                    to.writeLong(index.keys[i]);
                    to.writeInt(index.pairs[i]);
                }
            }
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }
}
