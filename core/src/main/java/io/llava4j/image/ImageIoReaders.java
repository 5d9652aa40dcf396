package io.llava4j.image;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;

/** Finds ImageIO readers and takes their samples without colour management. */
final class ImageIoReaders {
    private ImageIoReaders() {}

    /** The JDK's own reader, whatever plug-ins are on the class path. */
    static ImageReader jdk(String format) {
        Iterator<ImageReaderSpi> providers =
                IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, true);
        while (providers.hasNext()) {
            ImageReaderSpi provider = providers.next();
            if (provider.getClass().getModule() == ImageIO.class.getModule()
                    && Arrays.asList(provider.getFormatNames()).contains(format)) {
                try {
                    return provider.createReaderInstance();
                } catch (IOException e) {
                    throw new IllegalStateException("the JDK's %s reader does not start".formatted(format), e);
                }
            }
        }
        throw new IllegalStateException("this JDK has no %s reader".formatted(format));
    }

    /** Palette entries, or the first three samples (grey: one sample three times) scaled to 8 bits. */
    static RgbImage rgb(BufferedImage image) {
        Raster raster = image.getRaster();
        int width = image.getWidth();
        int height = image.getHeight();
        int bands = raster.getNumBands();
        IndexColorModel palette = image.getColorModel() instanceof IndexColorModel model ? model : null;
        int[] max = new int[bands];
        for (int b = 0; b < bands; b++) {
            max[b] = (1 << Math.min(30, raster.getSampleModel().getSampleSize(b))) - 1;
        }
        byte[] pixels = new byte[width * height * 3];
        int[] row = new int[width * bands];
        for (int y = 0; y < height; y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                int at = (y * width + x) * 3;
                for (int c = 0; c < 3; c++) {
                    if (palette != null) {
                        int index = row[x];
                        int colour = index < palette.getMapSize() ? palette.getRGB(index) : 0;
                        pixels[at + c] = (byte) (colour >> (16 - 8 * c));
                    } else {
                        int band = bands < 3 ? 0 : c;
                        int sample = row[x * bands + band];
                        pixels[at + c] = (byte) (max[band] == 255 ? sample : sample * 255 / max[band]);
                    }
                }
            }
        }
        return new RgbImage(width, height, pixels);
    }
}
