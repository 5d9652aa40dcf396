package io.llava4j.image;

import java.util.Arrays;

/** The first frame of a GIF on its logical screen (GIF89a specification), as Pillow composes it. */
final class GifDecoder {
    private static final int EXTENSION = 0x21;
    private static final int GRAPHIC_CONTROL = 0xf9;
    private static final int IMAGE = 0x2c;
    private static final int MAX_CODES = 4096;

    private final ImageBytes in;

    GifDecoder(ImageBytes in) {
        this.in = in;
    }

    /** Reads all but the pixels. */
    void check() {
        readHeader();
    }

    /**
     * What stands before the pixels.
     *
     * @param background of pixels that the frame leaves uncovered: the transparent colour, or else the first one
     */
    private record Header(
            int canvasWidth,
            int canvasHeight,
            int left,
            int top,
            int width,
            int height,
            boolean interlaced,
            byte[] palette,
            int background) {}

    private Header readHeader() {
        in.seek(6);
        int screenWidth = in.u16le();
        int screenHeight = in.u16le();
        int flags = in.u8();
        in.skip(2);
        byte[] palette = (flags & 0x80) != 0 ? palette(flags) : greys();
        int background = 0;
        int block = in.u8();
        while (block == EXTENSION) {
            background = extension(background);
            block = in.u8();
        }
        if (block != IMAGE) {
            throw in.corrupt("the GIF has block 0x%02x where an image is due".formatted(block));
        }
        int left = in.u16le();
        int top = in.u16le();
        int width = in.u16le();
        int height = in.u16le();
        int frameFlags = in.u8();
        if ((frameFlags & 0x80) != 0) {
            palette = palette(frameFlags);
        }
        in.checkSize(width, height);
        int canvasWidth = Math.max(screenWidth, left + width);
        int canvasHeight = Math.max(screenHeight, top + height);
        in.checkSize(canvasWidth, canvasHeight);
        return new Header(
                canvasWidth, canvasHeight, left, top, width, height, (frameFlags & 0x40) != 0, palette, background);
    }

    RgbImage decode() {
        Header header = readHeader();
        int width = header.width;
        byte[] frame = new LzwReader().read(width * header.height);

        byte[] canvas = frame;
        if (header.canvasWidth != width || header.canvasHeight != header.height || header.interlaced) {
            canvas = new byte[header.canvasWidth * header.canvasHeight];
            Arrays.fill(canvas, (byte) header.background);
            int[] rows = rowOrder(header.height, header.interlaced);
            for (int i = 0; i < header.height; i++) {
                System.arraycopy(
                        frame, i * width, canvas, (header.top + rows[i]) * header.canvasWidth + header.left, width);
            }
        }
        byte[] pixels = new byte[canvas.length * 3];
        for (int i = 0; i < canvas.length; i++) {
            System.arraycopy(header.palette, (canvas[i] & 0xff) * 3, pixels, i * 3, 3);
        }
        return new RgbImage(header.canvasWidth, header.canvasHeight, pixels);
    }

    /** Skips an extension; returns the transparent colour if it names one, or else {@code transparent}. */
    private int extension(int transparent) {
        int result = transparent;
        int label = in.u8();
        int length = in.u8();
        while (length != 0) {
            in.require(length);
            if (label == GRAPHIC_CONTROL && length >= 4 && (in.array()[in.position()] & 1) != 0) {
                result = in.array()[in.position() + 3] & 0xff;
            }
            in.skip(length);
            length = in.u8();
        }
        return result;
    }

    /** 256 RGB entries; those the file does not define are black. */
    private byte[] palette(int flags) {
        int length = 3 * (2 << (flags & 7));
        in.require(length);
        byte[] palette = new byte[3 * 256];
        System.arraycopy(in.array(), in.position(), palette, 0, length);
        in.skip(length);
        return palette;
    }

    private static byte[] greys() {
        byte[] palette = new byte[3 * 256];
        for (int i = 0; i < palette.length; i++) {
            palette[i] = (byte) (i / 3);
        }
        return palette;
    }

    /** The image row that each stored row belongs to. */
    private static int[] rowOrder(int height, boolean interlaced) {
        int[] rows = new int[height];
        int[] starts = interlaced ? new int[] {0, 4, 2, 1} : new int[] {0};
        int[] steps = interlaced ? new int[] {8, 8, 4, 2} : new int[] {1};
        int stored = 0;
        for (int pass = 0; pass < starts.length; pass++) {
            for (int row = starts[pass]; row < height; row += steps[pass]) {
                rows[stored++] = row;
            }
        }
        return rows;
    }

    /** GIF's variant of LZW: codes of growing width, least significant bit first, in blocks of up to 255 bytes. */
    private final class LzwReader {
        private int blockLeft;
        private int bits;
        private int bitCount;

        byte[] read(int count) {
            int literalBits = in.u8();
            if (literalBits < 1 || literalBits > 8) {
                throw in.corrupt("the GIF starts with codes of %d bits".formatted(literalBits));
            }
            int clear = 1 << literalBits;
            int[] prefix = new int[MAX_CODES];
            byte[] suffix = new byte[MAX_CODES];
            int[] length = new int[MAX_CODES];
            for (int i = 0; i < clear; i++) {
                suffix[i] = (byte) i;
                length[i] = 1;
            }
            byte[] output = new byte[count];
            int at = 0;
            int next = clear + 2;
            int width = literalBits + 1;
            int previous = -1;
            while (at < count) {
                int code = code(width);
                if (code == clear) {
                    next = clear + 2;
                    width = literalBits + 1;
                    previous = -1;
                    continue;
                }
                if (code == clear + 1) {
                    throw in.truncated("the GIF ends after %d of %d pixels".formatted(at, count));
                }
                boolean unknown = code >= next;
                if (unknown && (code > next || previous < 0 || next == MAX_CODES)) {
                    throw in.corrupt("the GIF uses code %d before defining it".formatted(code));
                }
                int known = unknown ? previous : code;
                byte first = write(known, prefix, suffix, length[known], output, at);
                at += length[known];
                if (unknown) {
                    if (at < count) {
                        output[at] = first;
                    }
                    at++;
                }
                if (previous >= 0 && next < MAX_CODES) {
                    prefix[next] = previous;
                    suffix[next] = first;
                    length[next] = length[previous] + 1;
                    next++;
                    if (next == 1 << width && width < 12) {
                        width++;
                    }
                }
                previous = code;
            }
            return output;
        }

        /** Writes the string of a code back to front, cut at the end of the image; returns its first byte. */
        private static byte write(int code, int[] prefix, byte[] suffix, int length, byte[] output, int at) {
            int current = code;
            for (int i = length - 1; i > 0; i--) {
                if (at + i < output.length) {
                    output[at + i] = suffix[current];
                }
                current = prefix[current];
            }
            output[at] = suffix[current];
            return suffix[current];
        }

        private int code(int width) {
            while (bitCount < width) {
                if (blockLeft == 0) {
                    blockLeft = in.u8();
                    if (blockLeft == 0) {
                        throw in.truncated("the GIF ends before its last pixel");
                    }
                }
                bits |= in.u8() << bitCount;
                blockLeft--;
                bitCount += 8;
            }
            int code = bits & ((1 << width) - 1);
            bits >>>= width;
            bitCount -= width;
            return code;
        }
    }
}
