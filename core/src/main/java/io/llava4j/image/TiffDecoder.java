package io.llava4j.image;

import io.llava4j.DataException;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * The first page of a TIFF file through the JDK's reader: grey, palette and RGB images of 8 bits, without loss. Their
 * pixels are Pillow's; other kinds (16 bits, CMYK, JPEG inside, rotated by a tag) are refused by name.
 */
final class TiffDecoder {
    private static final int WIDTH = 256;
    private static final int HEIGHT = 257;
    private static final int BITS = 258;
    private static final int COMPRESSION = 259;
    private static final int PHOTOMETRIC = 262;
    private static final int STRIP_OFFSETS = 273;
    private static final int ORIENTATION = 274;
    private static final int STRIP_BYTES = 279;
    private static final int TILE_OFFSETS = 324;
    private static final int TILE_BYTES = 325;
    private static final int COLOUR_MAP = 320;
    private static final int SAMPLE_FORMAT = 339;

    private static final int PALETTE = 3;

    /** None, LZW, Deflate (two numbers), PackBits. */
    private static final List<Long> LOSSLESS = List.of(1L, 5L, 8L, 32946L, 32773L);

    private static final int MAX_ENTRIES = 512;
    private static final int MAX_VALUES = 1 << 20;

    private final ImageBytes in;
    private final boolean little;
    private final Map<Integer, long[]> tags = new HashMap<>();

    private TiffDecoder(ImageBytes in) {
        this.in = in;
        this.little = in.matches(0, "II");
    }

    static boolean begins(ImageBytes in) {
        return in.matches(0, "II*\0") || in.matches(0, "MM\0*");
    }

    /** Reads all but the pixels. */
    static TiffDecoder check(ImageBytes in) {
        TiffDecoder header = new TiffDecoder(in);
        header.read();
        header.requireReadable();
        return header;
    }

    static RgbImage decode(ImageBytes in) {
        TiffDecoder header = check(in);
        ImageReader reader = ImageIoReaders.jdk("tiff");
        try (MemoryCacheImageInputStream input =
                new MemoryCacheImageInputStream(new ByteArrayInputStream(in.array()))) {
            reader.setInput(input, true, true);
            BufferedImage read = reader.read(0);
            if (header.value(PHOTOMETRIC, 1) == PALETTE) {
                return header.mapped(read.getRaster());
            }
            RgbImage image = ImageIoReaders.rgb(read);
            return header.value(PHOTOMETRIC, 1) == 0 ? inverted(image) : image;
        } catch (DataException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            throw in.corrupt("its TIFF data cannot be decoded (%s)".formatted(e.getMessage()), e);
        } finally {
            reader.dispose();
        }
    }

    /** Reads the tags of the first page. */
    private void read() {
        in.seek(4);
        long directory = u32();
        in.seek(0);
        in.skip(directory);
        int entries = u16();
        if (entries > MAX_ENTRIES) {
            throw in.corrupt("a TIFF page claims %d tags".formatted(entries));
        }
        for (int i = 0; i < entries; i++) {
            int tag = u16();
            int type = u16();
            long count = u32();
            int next = in.position() + 4;
            int bytes = type == 3 ? 2 : type == 4 ? 4 : 0;
            if (bytes > 0 && count > 0) {
                if (count > MAX_VALUES) {
                    throw in.corrupt("TIFF tag %d claims %d values".formatted(tag, count));
                }
                if (count * bytes > 4) {
                    long at = u32();
                    in.seek(0);
                    in.skip(at);
                }
                in.require(count * bytes);
                long[] values = new long[(int) count];
                Arrays.setAll(values, v -> bytes == 2 ? u16() : u32());
                tags.put(tag, values);
            }
            in.seek(next);
        }
    }

    private void requireReadable() {
        in.checkSize(value(WIDTH, 0), value(HEIGHT, 0));
        for (long bits : tags.getOrDefault(BITS, new long[] {1})) {
            if (bits != 8) {
                throw in.unsupported("it is a TIFF with %d bits per sample".formatted(bits));
            }
        }
        if (value(SAMPLE_FORMAT, 1) != 1) {
            throw in.unsupported("it is a TIFF whose samples are not unsigned integers");
        }
        long photometric = value(PHOTOMETRIC, -1);
        if (photometric < 0 || photometric > 3) {
            throw in.unsupported("it is a TIFF of colour model %d".formatted(photometric));
        }
        if (!LOSSLESS.contains(value(COMPRESSION, 1))) {
            throw in.unsupported("it is a TIFF of compression %d".formatted(value(COMPRESSION, 1)));
        }
        if (value(ORIENTATION, 1) != 1) {
            throw in.unsupported("it is a TIFF with orientation %d".formatted(value(ORIENTATION, 1)));
        }
        boolean tiled = tags.containsKey(TILE_OFFSETS);
        long[] offsets = tags.getOrDefault(tiled ? TILE_OFFSETS : STRIP_OFFSETS, new long[0]);
        long[] bytes = tags.getOrDefault(tiled ? TILE_BYTES : STRIP_BYTES, new long[0]);
        if (offsets.length == 0 || offsets.length != bytes.length) {
            throw in.corrupt("its TIFF page has %d data offsets and %d sizes".formatted(offsets.length, bytes.length));
        }
        in.seek(0);
        for (int i = 0; i < offsets.length; i++) {
            in.require(offsets[i] + bytes[i]);
        }
    }

    private long value(int tag, long otherwise) {
        long[] values = tags.get(tag);
        return values == null ? otherwise : values[0];
    }

    private int u16() {
        return little ? in.u16le() : in.u16be();
    }

    private long u32() {
        return little ? in.u32le() : in.u32be();
    }

    /** Pillow takes the upper bytes of a colour map's 16-bit numbers, where the JDK rounds. */
    private RgbImage mapped(Raster indices) {
        long[] map = tags.getOrDefault(COLOUR_MAP, new long[0]);
        int colours = map.length / 3;
        int width = indices.getWidth();
        int height = indices.getHeight();
        byte[] pixels = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            int index = indices.getSample(i % width, i / width, 0);
            if (index >= colours) {
                throw in.corrupt("its colour map has %d colours, but a pixel has number %d".formatted(colours, index));
            }
            for (int c = 0; c < 3; c++) {
                pixels[3 * i + c] = (byte) (map[c * colours + index] >> 8);
            }
        }
        return new RgbImage(width, height, pixels);
    }

    /** White is zero; the JDK hands such samples out as they are. */
    private static RgbImage inverted(RgbImage image) {
        byte[] pixels = image.pixels().clone();
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) ~pixels[i];
        }
        return new RgbImage(image.width(), image.height(), pixels);
    }
}
