package io.llava4j.train.data.format;

import dev.hardwood.InputFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** A file that is read, not mapped: if a mapped file is truncated while it is read, the process crashes. */
final class PlainFile implements InputFile {
    private final Path path;
    private final FileChannel file;
    private final long length;

    PlainFile(Path path) throws IOException {
        this.path = path;
        this.file = FileChannel.open(path);
        this.length = file.size();
    }

    @Override
    public void open() {
        // open already
    }

    @Override
    public ByteBuffer readRange(long offset, int size) throws IOException {
        if (offset < 0 || size < 0 || size > length - offset) {
            throw new IOException("it refers to %d bytes at byte %d, which are outside of it".formatted(size, offset));
        }
        // Direct: the decompressors would copy any other buffer.
        ByteBuffer bytes = ByteBuffer.allocateDirect(size);
        while (bytes.hasRemaining()) {
            if (file.read(bytes, offset + bytes.position()) < 0) {
                throw new IOException("it became shorter while it was read");
            }
        }
        return bytes.flip();
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public String name() {
        return path.toString();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
