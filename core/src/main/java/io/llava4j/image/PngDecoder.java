package io.llava4j.image;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * PNG (W3C PNG specification). An own decoder, since it needs a third of the JDK reader's memory, is not disturbed by
 * broken ancillary chunks, and notices what is missing: checksums of all chunks used, every row, and the end chunk.
 */
final class PngDecoder {
    static final String SIGNATURE = "\u0089PNG\r\n\u001a\n";

    private static final Pattern CHUNK_NAME = Pattern.compile("[A-Za-z]{4}");

    private static final int GREY = 0;
    private static final int RGB = 2;
    private static final int PALETTE = 3;
    private static final int GREY_ALPHA = 4;
    private static final int RGBA = 6;

    /** Adam7: first column, first row, column step, row step of each pass; the first entry is a plain image. */
    private static final int[][] PASSES = {
        {0, 0, 1, 1}, {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}
    };

    private record Slice(int start, int length) {}

    private final ImageBytes in;
    private final List<Slice> data = new ArrayList<>();
    private final byte[] palette = new byte[256 * 3];
    private int width;
    private int height;
    private int depth;
    private int colourType;
    private boolean interlaced;
    private boolean hasPalette;
    private int nextSlice;

    PngDecoder(ImageBytes in) {
        this.in = in;
    }

    /** Reads all but the pixels. */
    void check() {
        in.seek(SIGNATURE.length());
        readChunks();
        if (data.isEmpty()) {
            throw in.corrupt("the PNG holds no pixel data");
        }
        if (colourType == PALETTE && !hasPalette) {
            throw in.corrupt("the PNG has no palette");
        }
    }

    RgbImage decode() {
        check();
        if (colourType == GREY && depth <= 8) {
            int max = (1 << depth) - 1;
            for (int i = 0; i < (max + 1) * 3; i++) {
                palette[i] = (byte) (i / 3 * 255 / max);
            }
        }
        byte[] pixels = new byte[width * height * 3];
        Inflater inflater = new Inflater();
        try {
            for (int pass = interlaced ? 1 : 0; pass < (interlaced ? PASSES.length : 1); pass++) {
                readPass(inflater, PASSES[pass], pixels);
            }
        } catch (DataFormatException e) {
            throw in.corrupt("its PNG data cannot be decompressed (%s)".formatted(e.getMessage()), e);
        } finally {
            inflater.end();
        }
        return new RgbImage(width, height, pixels);
    }

    private void readChunks() {
        String type = "";
        while (!type.equals("IEND")) {
            boolean first = type.isEmpty();
            long length = in.u32be();
            int start = in.position();
            type = in.ascii(4);
            in.require(length + 4);
            if (first != type.equals("IHDR")) {
                throw in.corrupt("the PNG header is missing or doubled");
            }
            if (!CHUNK_NAME.matcher(type).matches()) {
                throw in.corrupt("the PNG has a chunk whose name is no four letters");
            }
            if (Character.isUpperCase(type.charAt(0))) {
                checkSum(start, (int) length + 4, type);
            }
            switch (type) {
                case "IHDR" -> readHeader(length);
                case "PLTE" -> readPalette((int) length);
                case "IDAT" -> data.add(new Slice(in.position(), (int) length));
                case "IEND" -> {}
                default -> {
                    if (Character.isUpperCase(type.charAt(0))) {
                        throw in.corrupt("the PNG has an unknown chunk that is needed to read it");
                    }
                }
            }
            in.seek(start + 4 + (int) length + 4);
        }
    }

    private void checkSum(int start, int length, String type) {
        CRC32 crc = new CRC32();
        crc.update(in.array(), start, length);
        int back = in.position();
        in.seek(start + length);
        if (in.u32be() != crc.getValue()) {
            throw in.corrupt("the checksum of its PNG chunk %s is wrong".formatted(type));
        }
        in.seek(back);
    }

    private void readHeader(long length) {
        if (length != 13) {
            throw in.corrupt("the PNG header has %d bytes, not 13".formatted(length));
        }
        long w = in.u32be();
        long h = in.u32be();
        in.checkSize(w, h);
        width = (int) w;
        height = (int) h;
        depth = in.u8();
        colourType = in.u8();
        int compression = in.u8();
        int filter = in.u8();
        int interlace = in.u8();
        interlaced = interlace == 1;
        boolean knownDepth = switch (colourType) {
            case GREY -> depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
            case PALETTE -> depth == 1 || depth == 2 || depth == 4 || depth == 8;
            case RGB, GREY_ALPHA, RGBA -> depth == 8 || depth == 16;
            default -> false;
        };
        if (!knownDepth || compression != 0 || filter != 0 || interlace > 1) {
            throw in.corrupt(
                    "the PNG header claims colour type %d with %d bits, compression %d, filter %d, interlace %d"
                            .formatted(colourType, depth, compression, filter, interlace));
        }
    }

    private void readPalette(int length) {
        if (length % 3 != 0 || length > palette.length || hasPalette) {
            throw in.corrupt("the PNG has two palettes or one of %d bytes".formatted(length));
        }
        // A suggested palette of a true-colour image does not matter.
        if (colourType == PALETTE) {
            System.arraycopy(in.array(), in.position(), palette, 0, length);
        }
        hasPalette = true;
    }

    private void readPass(Inflater inflater, int[] pass, byte[] pixels) throws DataFormatException {
        int columns = (width - pass[0] + pass[2] - 1) / pass[2];
        int rows = (height - pass[1] + pass[3] - 1) / pass[3];
        if (columns <= 0 || rows <= 0) {
            return;
        }
        int samples = switch (colourType) {
            case RGB -> 3;
            case GREY_ALPHA -> 2;
            case RGBA -> 4;
            default -> 1;
        };
        int pixelBytes = Math.max(1, samples * depth / 8);
        int rowBytes = (int) (((long) columns * samples * depth + 7) / 8);
        byte[] filtered = new byte[rowBytes + 1];
        byte[] row = new byte[rowBytes];
        byte[] above = new byte[rowBytes];
        for (int r = 0; r < rows; r++) {
            inflate(inflater, filtered);
            unfilter(filtered, row, above, pixelBytes);
            int at = ((pass[1] + r * pass[3]) * width + pass[0]) * 3;
            if (depth < 16 && (colourType == GREY || colourType == PALETTE)) {
                writeIndexed(row, columns, pixels, at, pass[2] * 3);
            } else {
                writeSamples(row, columns, pixelBytes, pixels, at, pass[2] * 3);
            }
            byte[] swap = above;
            above = row;
            row = swap;
        }
    }

    private void inflate(Inflater inflater, byte[] row) throws DataFormatException {
        int at = 0;
        while (at < row.length) {
            int count = inflater.inflate(row, at, row.length - at);
            at += count;
            if (count == 0) {
                if (inflater.finished() || inflater.needsDictionary() || nextSlice == data.size()) {
                    throw in.truncated("the PNG data end before the last row");
                }
                if (inflater.needsInput()) {
                    Slice slice = data.get(nextSlice++);
                    inflater.setInput(in.array(), slice.start(), slice.length());
                }
            }
        }
    }

    private void unfilter(byte[] filtered, byte[] row, byte[] above, int pixelBytes) {
        int filter = filtered[0];
        if (filter < 0 || filter > 4) {
            throw in.corrupt("the PNG uses the unknown filter %d".formatted(filter & 0xff));
        }
        for (int i = 0; i < row.length; i++) {
            int left = i >= pixelBytes ? row[i - pixelBytes] & 0xff : 0;
            int up = above[i] & 0xff;
            int predicted = switch (filter) {
                case 1 -> left;
                case 2 -> up;
                case 3 -> (left + up) >> 1;
                case 4 -> paeth(left, up, i >= pixelBytes ? above[i - pixelBytes] & 0xff : 0);
                default -> 0;
            };
            row[i] = (byte) (filtered[i + 1] + predicted);
        }
    }

    private static int paeth(int left, int up, int upLeft) {
        int toLeft = Math.abs(up - upLeft);
        int toUp = Math.abs(left - upLeft);
        int toUpLeft = Math.abs(left + up - 2 * upLeft);
        if (toLeft <= toUp && toLeft <= toUpLeft) {
            return left;
        }
        return toUp <= toUpLeft ? up : upLeft;
    }

    private void writeIndexed(byte[] row, int columns, byte[] pixels, int start, int step) {
        int mask = (1 << depth) - 1;
        int at = start;
        for (int x = 0; x < columns; x++, at += step) {
            int bit = x * depth;
            int index = (row[bit >> 3] >> (8 - depth - (bit & 7))) & mask;
            pixels[at] = palette[index * 3];
            pixels[at + 1] = palette[index * 3 + 1];
            pixels[at + 2] = palette[index * 3 + 2];
        }
    }

    private void writeSamples(byte[] row, int columns, int pixelBytes, byte[] pixels, int start, int step) {
        int sampleBytes = depth / 8;
        boolean colour = colourType == RGB || colourType == RGBA;
        int at = start;
        for (int x = 0; x < columns; x++, at += step) {
            int from = x * pixelBytes;
            byte first = row[from];
            if (colourType == GREY && first != 0) {
                first = (byte) 255; // 16-bit grey saturates
            } else if (colourType == GREY) {
                first = row[from + 1];
            }
            pixels[at] = first;
            pixels[at + 1] = colour ? row[from + sampleBytes] : first;
            pixels[at + 2] = colour ? row[from + 2 * sampleBytes] : first;
        }
    }
}
