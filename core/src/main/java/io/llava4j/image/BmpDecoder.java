package io.llava4j.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Windows bitmaps through the JDK's reader. */
final class BmpDecoder {
    private BmpDecoder() {}

    static RgbImage decode(ImageBytes in) {
        check(in);
        ImageReader reader = ImageIoReaders.jdk("bmp");
        try (MemoryCacheImageInputStream input =
                new MemoryCacheImageInputStream(new ByteArrayInputStream(in.array()))) {
            reader.setInput(input, true, true);
            in.checkSize(reader.getWidth(0), reader.getHeight(0));
            return ImageIoReaders.rgb(reader.read(0));
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException | NegativeArraySizeException e) {
            throw in.corrupt("its BMP data cannot be decoded (%s)".formatted(e), e);
        } finally {
            reader.dispose();
        }
    }

    /** Sizes and, for uncompressed images, completeness, before the reader allocates anything. */
    static void check(ImageBytes in) {
        in.seek(10);
        long pixelsAt = in.u32le();
        long headerSize = in.u32le();
        boolean old = headerSize == 12;
        long width = old ? in.u16le() : in.u32le();
        long height = old ? in.u16le() : Math.abs((int) in.u32le());
        in.checkSize(width, height);
        in.skip(2);
        int bits = in.u16le();
        long compression = old ? 0 : in.u32le();
        if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
            throw in.unsupported("it is a BMP with %d bits per pixel".formatted(bits));
        }
        boolean runLength = compression == 1 || compression == 2;
        long rowBytes = (width * bits + 31) / 32 * 4;
        // The padding of the last row may be missing.
        long needed = runLength ? 1 : rowBytes * (height - 1) + (width * bits + 7) / 8;
        in.seek(0);
        in.require(pixelsAt + needed);
        if (runLength) {
            in.skip(pixelsAt);
            requireEnd(in, compression == 2);
        }
    }

    /** The JDK's reader drops its last row where the code that ends the bitmap is missing. */
    private static void requireEnd(ImageBytes in, boolean fourBits) {
        while (true) {
            int count = in.u8();
            int value = in.u8();
            if (count == 0 && value == 1) {
                return;
            }
            if (count == 0 && value == 2) {
                in.skip(2);
            } else if (count == 0 && value > 2) {
                int bytes = fourBits ? (value + 1) / 2 : value;
                in.skip(bytes + bytes % 2);
            }
        }
    }
}
