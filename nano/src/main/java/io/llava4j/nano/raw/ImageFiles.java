package io.llava4j.nano.raw;

import io.llava4j.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.jspecify.annotations.Nullable;

/** Writes images as JPEG (quality 92) or PNG. */
public final class ImageFiles {
    private static final float JPEG_QUALITY = 0.92f;

    private ImageFiles() {}

    /** @param format {@code jpg} or {@code png} */
    static void write(RgbImage image, Path file, String format) throws IOException {
        Files.write(file, encode(image, format));
    }

    /** Encodes an image as the bytes of a file. */
    public static byte[] encode(RgbImage image, String format) {
        ImageWriter writer = ImageIO.getImageWritersByFormatName(format).next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.write(null, new IIOImage(buffered(image), null, null), parameters(writer, format));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    private static @Nullable ImageWriteParam parameters(ImageWriter writer, String format) {
        if (!format.equals("jpg")) {
            return null;
        }
        ImageWriteParam parameters = writer.getDefaultWriteParam();
        parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        parameters.setCompressionQuality(JPEG_QUALITY);
        return parameters;
    }

    private static BufferedImage buffered(RgbImage image) {
        int[] rgb = new int[image.width() * image.height()];
        byte[] pixels = image.pixels();
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (pixels[3 * i] & 0xFF) << 16 | (pixels[3 * i + 1] & 0xFF) << 8 | pixels[3 * i + 2] & 0xFF;
        }
        BufferedImage buffered = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        buffered.setRGB(0, 0, image.width(), image.height(), rgb, 0, image.width());
        return buffered;
    }
}
