package io.llava4j.image;

/**
 * Finds the EXIF orientation of an image (TIFF tag 274, 1 to 8) in JPEG's APP1 segment, PNG's {@code eXIf} chunk, WebP's
 * {@code EXIF} chunk or a TIFF file's first directory. A tag that is missing, damaged or of another type counts as 1, the
 * orientation as stored; nothing here throws or allocates by what a file claims.
 */
final class ExifReader {
    private static final int AS_STORED = 1;
    private static final int TAG = 0x0112;
    private static final int TYPE_SHORT = 3;
    private static final String JPEG_EXIF = "Exif\0\0";

    private final byte[] bytes;
    private final ImageBytes in;

    private ExifReader(ImageBytes in) {
        this.in = in;
        this.bytes = in.array();
    }

    /** The orientation of an image file of any format; 1 if it has none. */
    static int orientation(ImageBytes in) {
        return new ExifReader(in).find();
    }

    private int find() {
        if (in.matches(0, "\u00ff\u00d8\u00ff")) {
            return jpeg();
        }
        if (in.matches(0, PngDecoder.SIGNATURE)) {
            return png();
        }
        if (in.matches(0, "RIFF") && in.matches(8, "WEBP")) {
            return webp();
        }
        return TiffDecoder.begins(in) ? tiff(0, bytes.length) : AS_STORED;
    }

    /** The first APP1 segment with EXIF; pixels begin at the first scan. */
    private int jpeg() {
        long at = 2;
        while (at + 4 <= bytes.length && u8(at) == 0xff) {
            int marker = u8(at + 1);
            if (marker == 0xff) {
                at++; // fill byte
                continue;
            }
            if (marker == 0xda || marker == 0xd9) {
                break;
            }
            long length = u16(at + 2, false);
            if (length < 2) {
                break;
            }
            if (marker == 0xe1 && in.matches((int) at + 4, JPEG_EXIF)) {
                return tiff(at + 4 + JPEG_EXIF.length(), at + 2 + length);
            }
            at += 2 + length;
        }
        return AS_STORED;
    }

    private int png() {
        long at = PngDecoder.SIGNATURE.length();
        while (at + 12 <= bytes.length) {
            long length = u32(at, false);
            if (in.matches((int) at + 4, "eXIf")) {
                return tiff(at + 8, at + 8 + length);
            }
            at += 12 + length;
        }
        return AS_STORED;
    }

    private int webp() {
        long at = 12;
        while (at + 8 <= bytes.length) {
            long length = u32(at + 4, true);
            if (in.matches((int) at, "EXIF")) {
                // Some writers put JPEG's prefix before the data.
                long prefix = in.matches((int) at + 8, JPEG_EXIF) ? JPEG_EXIF.length() : 0;
                return tiff(at + 8 + prefix, at + 8 + length);
            }
            at += 8 + length + (length & 1);
        }
        return AS_STORED;
    }

    /** The tag in the first directory of the TIFF structure from {@code start} to before {@code claimedEnd}. */
    private int tiff(long start, long claimedEnd) {
        long end = Math.min(claimedEnd, bytes.length);
        if (end - start < 8) {
            return AS_STORED;
        }
        boolean little = in.matches((int) start, "II*\0");
        if (!little && !in.matches((int) start, "MM\0*")) {
            return AS_STORED;
        }
        long directory = start + u32(start + 4, little);
        if (directory + 2 > end) {
            return AS_STORED;
        }
        int entries = u16(directory, little);
        for (int i = 0; i < entries; i++) {
            long entry = directory + 2 + 12L * i;
            if (entry + 12 > end) {
                break;
            }
            if (u16(entry, little) == TAG) {
                int value = u16(entry + 8, little);
                boolean one = u16(entry + 2, little) == TYPE_SHORT && u32(entry + 4, little) == 1;
                return one && value >= 1 && value <= 8 ? value : AS_STORED;
            }
        }
        return AS_STORED;
    }

    private int u8(long at) {
        return bytes[(int) at] & 0xff;
    }

    private int u16(long at, boolean little) {
        return little ? u8(at) | u8(at + 1) << 8 : u8(at) << 8 | u8(at + 1);
    }

    private long u32(long at, boolean little) {
        return little
                ? u16(at, true) | (long) u16(at + 2, true) << 16
                : (long) u16(at, false) << 16 | u16(at + 2, false);
    }
}
