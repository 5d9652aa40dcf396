package io.llava4j.train.data.format;

import io.llava4j.DataException;
import io.llava4j.image.ImageDecoder;
import io.llava4j.io.Quote;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Images inside other files, found by name. Filled by one thread, then read by many. */
final class ImageArchive implements Images {
    private final Map<String, Slice> slices = new HashMap<>();
    private final List<FileChannel> files;

    /** Byte range of an image. */
    private record Slice(FileChannel file, long offset, long length) {}

    /** @param files closed with the archive */
    ImageArchive(List<FileChannel> files) {
        this.files = files;
    }

    /**
     * Adds an image. An image is known by its content, so a name never refers to two: if another image has both names, a
     * number is added.
     *
     * @param name preferred name
     * @param place where the image is, as file and entry or row; used if another image has the name
     * @return the name of the image in this archive
     */
    String add(String name, String place, FileChannel file, long offset, long length) throws IOException {
        Slice slice = new Slice(file, offset, length);
        String free = name;
        for (int number = 1; ; number++) {
            Slice other = slices.putIfAbsent(free, slice);
            if (other == null || same(slice, other)) {
                return free;
            }
            free = number == 1 ? place : numbered(place, number);
        }
    }

    /** {@code folder/name-2.jpg}. */
    private static String numbered(String place, int number) {
        int dot = place.lastIndexOf('.');
        int end = dot > place.lastIndexOf('/') ? dot : place.length();
        return place.substring(0, end) + "-" + number + place.substring(end);
    }

    @Override
    public long size(String image) {
        return slice(image).length();
    }

    private Slice slice(String image) {
        Slice slice = slices.get(image);
        if (slice == null) {
            throw new DataException(
                    "image %s is not in the archive; add it or correct the name".formatted(Quote.of(image)));
        }
        return slice;
    }

    @Override
    public byte[] bytes(String image) {
        Slice slice = slice(image);
        if (slice.length() > ImageDecoder.MAX_FILE_BYTES) {
            throw new DataException("image '%s' has %d bytes, more than the limit of %d; scale it down"
                    .formatted(image, slice.length(), ImageDecoder.MAX_FILE_BYTES));
        }
        try {
            return read(slice);
        } catch (IOException e) {
            throw new DataException(
                    "image '%s' cannot be read from its archive: %s".formatted(image, e.getMessage()), e);
        }
    }

    @Override
    public void close() {
        for (FileChannel file : files) {
            try {
                file.close();
            } catch (IOException e) {
                // Opened for reading or as a temporary file: nothing can be lost.
                continue;
            }
        }
    }

    private static boolean same(Slice one, Slice other) throws IOException {
        return one.length() == other.length()
                && one.length() <= ImageDecoder.MAX_FILE_BYTES
                && Arrays.equals(read(one), read(other));
    }

    private static byte[] read(Slice slice) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) slice.length());
        while (bytes.hasRemaining()) {
            if (slice.file().read(bytes, slice.offset() + bytes.position()) < 0) {
                throw new EOFException("the file ends too early");
            }
        }
        return bytes.array();
    }
}
