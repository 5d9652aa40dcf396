package io.llava4j.image;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * WebP through libwebp. It receives only the (first) bitstream chunk: alpha, profiles, tags and further frames are not
 * needed, and the library does not read animations.
 */
final class WebpDecoder {
    private static final int CHUNK_HEADER = 8;

    private WebpDecoder() {}

    /**
     * The bitstream of the first frame, and where it stands.
     *
     * @param start of its chunk
     * @param end of its chunk
     * @param canvasWidth 0 for a file that has no canvas
     * @param left of an animation's frame
     */
    private record Frame(
            int start, int end, boolean animated, long canvasWidth, long canvasHeight, int left, int top) {}

    /** Reads all but the pixels. */
    static void check(ImageBytes in) {
        find(in);
    }

    static RgbImage decode(ImageBytes in) {
        Frame frame = find(in);
        RgbImage image = bitstream(in, frame.start, frame.end);
        return frame.animated ? onCanvas(in, frame, image) : image;
    }

    private static Frame find(ImageBytes in) {
        in.seek(4);
        long riffSize = in.u32le();
        in.require(riffSize);
        in.seek(12);
        long canvasWidth = 0;
        long canvasHeight = 0;
        while (true) {
            if (in.remaining() < CHUNK_HEADER) {
                throw in.truncated("the WebP ends before its pixels");
            }
            int start = in.position();
            String type = in.ascii(4);
            long length = in.u32le();
            in.require(length);
            int next = (int) Math.min(start + CHUNK_HEADER + length + (length & 1), in.array().length);
            switch (type) {
                case "VP8X" -> {
                    in.skip(4);
                    canvasWidth = in.u24le() + 1L;
                    canvasHeight = in.u24le() + 1L;
                    in.checkSize(canvasWidth, canvasHeight);
                }
                case "ANMF" -> {
                    int x = in.u24le() * 2;
                    int y = in.u24le() * 2;
                    in.skip(10);
                    while (!in.matches(in.position(), "VP8")) {
                        in.skip(4);
                        long skipped = in.u32le();
                        in.skip(skipped + (skipped & 1));
                    }
                    int frame = in.position();
                    in.skip(4);
                    in.skip(in.u32le());
                    int end = in.position();
                    checkSize(in, frame);
                    return new Frame(frame, end, true, canvasWidth, canvasHeight, x, y);
                }
                case "VP8 ", "VP8L" -> {
                    checkSize(in, start);
                    return new Frame(start, next, false, canvasWidth, canvasHeight, 0, 0);
                }
                default -> {
                    // Alpha, profile, tags, animation settings: not needed.
                }
            }
            in.seek(next);
        }
    }

    /** The first frame of an animation, on black where it does not cover the canvas. */
    private static RgbImage onCanvas(ImageBytes in, Frame frame, RgbImage image) {
        if (frame.canvasWidth == 0
                || frame.left + image.width() > frame.canvasWidth
                || frame.top + image.height() > frame.canvasHeight) {
            throw in.corrupt("the first WebP frame lies outside the canvas");
        }
        int width = (int) frame.canvasWidth;
        byte[] pixels = new byte[width * (int) frame.canvasHeight * 3];
        for (int y = 0; y < image.height(); y++) {
            System.arraycopy(
                    image.pixels(),
                    y * image.width() * 3,
                    pixels,
                    ((frame.top + y) * width + frame.left) * 3,
                    image.width() * 3);
        }
        return new RgbImage(width, (int) frame.canvasHeight, pixels);
    }

    private static void checkSize(ImageBytes in, int start) {
        in.seek(start + CHUNK_HEADER);
        if (in.matches(start, "VP8L")) {
            in.skip(1);
            long bits = in.u32le();
            in.checkSize((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
        } else {
            in.skip(6);
            in.checkSize(in.u16le() & 0x3fff, in.u16le() & 0x3fff);
        }
    }

    private static RgbImage bitstream(ImageBytes in, int start, int end) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName("webp");
        if (!readers.hasNext()) {
            throw in.unsupported("no WebP decoder is on the class path");
        }
        ImageReader reader = readers.next();
        try (MemoryCacheImageInputStream input =
                new MemoryCacheImageInputStream(new ByteArrayInputStream(stillFile(in.array(), start, end)))) {
            reader.setInput(input, true, true);
            return ImageIoReaders.rgb(reader.read(0));
        } catch (IOException | IllegalArgumentException | IllegalStateException e) {
            throw in.corrupt("its WebP data cannot be decoded (%s)".formatted(e.getMessage()), e);
        } catch (LinkageError e) {
            throw in.unsupported("the WebP decoder does not run on this platform (%s)".formatted(e.getMessage()));
        } finally {
            reader.dispose();
        }
    }

    /** A WebP file with nothing but one chunk. */
    private static byte[] stillFile(byte[] bytes, int start, int end) {
        int padding = (end - start) & 1;
        int size = 4 + end - start + padding;
        ByteArrayOutputStream file = new ByteArrayOutputStream(size + 8);
        file.writeBytes("RIFF".getBytes(StandardCharsets.ISO_8859_1));
        file.writeBytes(new byte[] {(byte) size, (byte) (size >> 8), (byte) (size >> 16), (byte) (size >> 24)});
        file.writeBytes("WEBP".getBytes(StandardCharsets.ISO_8859_1));
        file.write(bytes, start, end - start);
        file.writeBytes(new byte[padding]);
        return file.toByteArray();
    }
}
