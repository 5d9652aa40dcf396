package io.llava4j.image;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * JPEG through the JDK's own reader, whose pixels equal libjpeg-turbo's. The reader sees a {@link JpegStream} without
 * profiles and tags, so that they cannot influence or break the result.
 */
final class JpegDecoder {
    /** libjpeg's warning about bytes that belong to no marker. */
    private static final Pattern EXTRANEOUS = Pattern.compile("(\\d+) extraneous bytes before marker 0x([0-9a-f]{2})");

    /** Padding that encoders leave before the end marker; more is image data that could not be read. */
    private static final int MAX_PADDING = 4;

    private JpegDecoder() {}

    static RgbImage decode(ImageBytes in) {
        JpegStream stream = JpegStream.parse(in);
        ImageReader reader = ImageIoReaders.jdk("jpeg");
        List<String> damage = new ArrayList<>();
        reader.addIIOReadWarningListener((source, warning) -> {
            if (isDamage(warning)) {
                damage.add(warning);
            }
        });
        RgbImage image;
        try (MemoryCacheImageInputStream input =
                new MemoryCacheImageInputStream(new ByteArrayInputStream(stream.bytes()))) {
            reader.setInput(input, true, true);
            image = switch (stream.components()) {
                case 1 -> grey(reader, stream);
                case 3 ->
                    JpegChroma.isVerticallyHalved(stream) ? JpegChroma.decode(reader, stream) : rgb(reader, stream);
                default -> cmyk(reader, stream);
            };
        } catch (IOException | RuntimeException e) {
            throw in.corrupt("its JPEG data cannot be decoded (%s)".formatted(e.getMessage()), e);
        } finally {
            reader.dispose();
        }
        if (!damage.isEmpty()) {
            throw in.corrupt("its JPEG data are damaged or end early (%s)".formatted(damage.getFirst()));
        }
        return image;
    }

    /** After these warnings libjpeg continues with invented pixels; its other warnings concern no pixels. */
    private static boolean isDamage(String warning) {
        String text = warning.toLowerCase(Locale.ROOT);
        Matcher extraneous = EXTRANEOUS.matcher(text);
        if (extraneous.find()) {
            boolean atEnd = extraneous.group(2).equals("d9");
            return !atEnd || extraneous.group(1).length() > 1 || Integer.parseInt(extraneous.group(1)) > MAX_PADDING;
        }
        return text.contains("premature end")
                || text.contains("truncated")
                || text.contains("huffman")
                || text.contains("instead of rst");
    }

    private static RgbImage grey(ImageReader reader, JpegStream stream) throws IOException {
        byte[] grey = readInto(reader, stream, ColorSpace.getInstance(ColorSpace.CS_GRAY));
        byte[] pixels = new byte[grey.length * 3];
        for (int i = 0; i < grey.length; i++) {
            pixels[i * 3] = grey[i];
            pixels[i * 3 + 1] = grey[i];
            pixels[i * 3 + 2] = grey[i];
        }
        return new RgbImage(stream.width(), stream.height(), pixels);
    }

    private static RgbImage rgb(ImageReader reader, JpegStream stream) throws IOException {
        byte[] pixels = readInto(reader, stream, ColorSpace.getInstance(ColorSpace.CS_sRGB));
        return new RgbImage(stream.width(), stream.height(), pixels);
    }

    /** Reads straight into an array with the samples of a pixel side by side. */
    private static byte[] readInto(ImageReader reader, JpegStream stream, ColorSpace space) throws IOException {
        int bands = space.getNumComponents();
        int[] offsets = new int[bands];
        for (int i = 0; i < bands; i++) {
            offsets[i] = i;
        }
        byte[] samples = new byte[stream.width() * stream.height() * bands];
        WritableRaster raster = Raster.createInterleavedRaster(
                new DataBufferByte(samples, samples.length),
                stream.width(),
                stream.height(),
                stream.width() * bands,
                bands,
                offsets,
                null);
        ComponentColorModel model =
                new ComponentColorModel(space, false, false, Transparency.OPAQUE, DataBuffer.TYPE_BYTE);
        ImageReadParam param = reader.getDefaultReadParam();
        param.setDestination(new BufferedImage(model, raster, false, new Properties()));
        reader.read(0, param);
        return samples;
    }

    /** Adobe's inverted CMYK, converted as Pillow does it: {@code R = nk - C * nk / 255} with {@code nk = 255 - K}. */
    private static RgbImage cmyk(ImageReader reader, JpegStream stream) throws IOException {
        Raster raster = reader.readRaster(0, null);
        int width = stream.width();
        byte[] pixels = new byte[width * stream.height() * 3];
        int[] row = new int[width * 4];
        for (int y = 0; y < stream.height(); y++) {
            raster.getPixels(0, y, width, 1, row);
            if (stream.ycc()) {
                toCmyk(row);
            }
            for (int x = 0; x < width; x++) {
                int notBlack = row[x * 4 + 3];
                for (int c = 0; c < 3; c++) {
                    int ink = 255 - row[x * 4 + c];
                    pixels[(y * width + x) * 3 + c] = (byte) (notBlack - multiplyBy255th(ink, notBlack));
                }
            }
        }
        return new RgbImage(width, stream.height(), pixels);
    }

    /** YCCK to CMYK in place, in libjpeg's integer arithmetic; the JDK hands YCCK out as it is. */
    private static void toCmyk(int[] row) {
        for (int i = 0; i < row.length; i += 4) {
            int y = row[i];
            int cb = row[i + 1] - 128;
            int cr = row[i + 2] - 128;
            row[i] = 255 - JpegChroma.red(y, cr);
            row[i + 1] = 255 - JpegChroma.green(y, cb, cr);
            row[i + 2] = 255 - JpegChroma.blue(y, cb);
        }
    }

    /** {@code a * b / 255}, rounded, in Pillow's integer arithmetic. */
    private static int multiplyBy255th(int a, int b) {
        int product = a * b + 128;
        return ((product >> 8) + product) >> 8;
    }
}
