package io.llava4j.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The parts of a JPEG file that carry pixels, checked for completeness (ITU-T T.81 annex B). Comments, profiles, tags
 * and thumbnails are left out; one marker segment that states the colour space by libjpeg's rules is put in front,
 * because the JDK guesses differently from libjpeg where there is none.
 *
 * @param width in pixels
 * @param height in pixels
 * @param components 1 (grey), 3 (YCbCr or RGB) or 4 (CMYK or YCCK)
 * @param ycc whether the components are luma and chroma rather than RGB or CMYK
 * @param sampling of each component
 * @param bytes a JPEG file
 */
record JpegStream(int width, int height, int components, boolean ycc, List<Sampling> sampling, byte[] bytes) {
    /**
     * How often a component is sampled, relative to the others.
     *
     * @param horizontal samples in a row, 1 to 4
     * @param vertical samples in a column, 1 to 4
     */
    record Sampling(int horizontal, int vertical) {}

    /** More scans than any encoder writes; each costs a pass over the whole image. */
    private static final int MAX_SCANS = 500;

    private static final int END_OF_IMAGE = 0xd9;
    private static final int START_OF_SCAN = 0xda;
    private static final byte[] JFIF = segment(0xe0, "JFIF\0\1\1\0\0\1\0\1\0\0");

    /** Settings from the segments read so far. */
    private static final class Header {
        int width;
        int height;
        int components;
        String componentIds = "";
        final List<Sampling> sampling = new ArrayList<>();
        final JpegProgress progress = new JpegProgress();
        boolean progressive;
        boolean jfif;
        int adobeTransform = -1;
        int scans;
    }

    static JpegStream parse(ImageBytes in) {
        Header header = new Header();
        ByteArrayOutputStream body = new ByteArrayOutputStream(in.remaining());
        in.seek(2);
        int marker = nextMarker(in);
        while (marker != END_OF_IMAGE) {
            if (!isStandalone(marker)) {
                segment(in, marker, header, body);
            }
            if (marker == START_OF_SCAN) {
                if (header.components == 0 || ++header.scans > MAX_SCANS) {
                    throw in.corrupt("its JPEG scans are out of order or more than " + MAX_SCANS);
                }
                scan(in, body);
            }
            marker = nextMarker(in);
        }
        if (header.scans == 0) {
            throw in.corrupt("the JPEG holds no image data");
        }
        if (header.progressive && !header.progress.isComplete(header.componentIds)) {
            throw in.truncated("the progressive JPEG ends before all of its scans");
        }
        ByteArrayOutputStream file = new ByteArrayOutputStream(body.size() + 32);
        file.writeBytes(new byte[] {(byte) 0xff, (byte) 0xd8});
        file.writeBytes(colourSpace(header));
        file.writeBytes(body.toByteArray());
        file.writeBytes(new byte[] {(byte) 0xff, (byte) END_OF_IMAGE});
        return new JpegStream(
                header.width,
                header.height,
                header.components,
                isYcc(header),
                List.copyOf(header.sampling),
                file.toByteArray());
    }

    /** Skips to the next marker as libjpeg does, over fill bytes and stray data. */
    private static int nextMarker(ImageBytes in) {
        while (true) {
            if (in.remaining() < 2) {
                throw in.truncated("the JPEG ends without its end marker");
            }
            if (in.u8() == 0xff) {
                int marker = in.u8();
                while (marker == 0xff) {
                    marker = in.u8();
                }
                if (marker != 0) {
                    return marker;
                }
            }
        }
    }

    private static boolean isStandalone(int marker) {
        return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    }

    private static void segment(ImageBytes in, int marker, Header header, ByteArrayOutputStream body) {
        int start = in.position();
        int length = in.u16be();
        if (length < 2) {
            throw in.corrupt("a JPEG segment claims %d bytes".formatted(length));
        }
        in.require(length - 2L);
        boolean application = marker >= 0xe0 && marker <= 0xef;
        boolean comment = marker == 0xfe;
        if (marker == 0xe0 && length >= 16 && in.matches(in.position(), "JFIF\0")) {
            header.jfif = true;
        } else if (marker == 0xee && length >= 14 && in.matches(in.position(), "Adobe")) {
            header.adobeTransform = in.array()[in.position() + 11] & 0xff;
        } else if (marker == 0xc0 || marker == 0xc1 || marker == 0xc2) {
            header.progressive = marker == 0xc2;
            frame(in, length, header);
        } else if (marker == START_OF_SCAN) {
            header.progress.scan(in, length);
        } else if (marker > 0xc2 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) {
            throw in.unsupported("it is a lossless, hierarchical or arithmetic-coded JPEG");
        } else if (marker == 0xd8) {
            throw in.corrupt("a second JPEG starts inside the first");
        }
        if (!application && !comment) {
            body.write(0xff);
            body.write(marker);
            body.write(in.array(), start, length);
        }
        in.seek(start + length);
    }

    private static void frame(ImageBytes in, int length, Header header) {
        if (header.components != 0) {
            throw in.corrupt("the JPEG has two frame headers");
        }
        if (length < 8) {
            throw in.corrupt("the JPEG frame header is too short");
        }
        int precision = in.u8();
        header.height = in.u16be();
        header.width = in.u16be();
        header.components = in.u8();
        if (precision != 8 || (header.components != 1 && header.components != 3 && header.components != 4)) {
            throw in.unsupported("it is a JPEG with %d components of %d bits".formatted(header.components, precision));
        }
        if (length < 8 + 3 * header.components) {
            throw in.corrupt("the JPEG frame header is too short");
        }
        in.checkSize(header.width, header.height);
        StringBuilder ids = new StringBuilder();
        for (int i = 0; i < header.components; i++) {
            ids.append((char) in.u8());
            int factors = in.u8();
            header.sampling.add(new Sampling(factors >> 4, factors & 0xF));
            in.skip(1);
        }
        header.componentIds = ids.toString();
    }

    /** Copies entropy-coded data up to the next marker other than a restart. */
    private static void scan(ImageBytes in, ByteArrayOutputStream body) {
        byte[] bytes = in.array();
        int start = in.position();
        int end = start;
        while (true) {
            if (end + 1 >= bytes.length) {
                throw in.truncated("the JPEG ends after %d bytes without its end marker".formatted(bytes.length));
            }
            if (bytes[end] == (byte) 0xff) {
                int next = bytes[end + 1] & 0xff;
                if (next != 0 && next != 0xff && !isStandalone(next)) {
                    break;
                }
            }
            end++;
        }
        body.write(bytes, start, end - start);
        in.seek(end);
    }

    /** libjpeg's {@code default_decompress_parms}. */
    private static boolean isYcc(Header header) {
        return switch (header.components) {
            case 3 ->
                header.jfif
                        || (header.adobeTransform >= 0
                                ? header.adobeTransform != 0
                                : !header.componentIds.equals("RGB"));
            case 4 -> header.adobeTransform > 0;
            default -> false;
        };
    }

    /** A segment that states the colour space. */
    private static byte[] colourSpace(Header header) {
        return switch (header.components) {
            case 3 -> isYcc(header) ? JFIF : adobe(0);
            case 4 -> adobe(isYcc(header) ? 2 : 0);
            default -> JFIF;
        };
    }

    private static byte[] adobe(int transform) {
        return segment(0xee, "Adobe\0d\0\0\0\0" + (char) transform);
    }

    private static byte[] segment(int marker, String content) {
        String head = "\u00ff" + (char) marker + '\0' + (char) (content.length() + 2);
        return (head + content).getBytes(StandardCharsets.ISO_8859_1);
    }
}
