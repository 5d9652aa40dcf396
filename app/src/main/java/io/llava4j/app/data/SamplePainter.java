package io.llava4j.app.data;

import io.llava4j.LlavaException;
import io.llava4j.image.RgbImage;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;

/** Draws previews of samples. */
public final class SamplePainter {
    /** Colours of boxes, the first for the first box. */
    static final List<Color> BOX_COLOURS = List.of(
            new Color(0xE4572E),
            new Color(0x2E86AB),
            new Color(0x6BA368),
            new Color(0xF2A541),
            new Color(0x8E5EA2),
            new Color(0x00A6A6));

    /** Digits of 3 x 5 points, a bit each from the top left: numbers on boxes need no font, which a machine may lack. */
    private static final int[] DIGITS = {
        0b111101101101111, 0b010110010010111, 0b111001111100111, 0b111001111001111, 0b101101111001001,
        0b111100111001111, 0b111100111101111, 0b111001010010010, 0b111101111101111, 0b111101111001111
    };

    private static final int POINT = 2;
    private static final int EDGE = 336;
    private static final int MARGIN = 24;
    private static final int TEXT_WIDTH = 720;
    private static final int LINE = 26;
    private static final Color INK = new Color(0x211F1C);
    private static final Color SOFT = new Color(0x6B665E);
    private static final Color SUPERVISED = new Color(0xC5E3CE);
    private static final Color SUPERVISED_ALT = new Color(0xAED6BB);
    private static final Color MASKED_ALT = new Color(0xF1EEE7);
    private static final Color IMAGE_TOKENS = new Color(0x1D6A74);
    private static final Color TRUNCATED = new Color(0xB1483A);

    private SamplePainter() {}

    /** The preprocessed image with its boxes, at least {@value #EDGE} pixels wide, as a PNG. */
    static byte[] image(RgbImage image, List<SamplePreview.LabelledBox> boxes) {
        return png(boxed(image, boxes));
    }

    /**
     * A whole sample: its images, the first with boxes, and beside them the tokens; supervised ones on green.
     *
     * @return a PNG
     * @throws LlavaException if this machine has no font
     */
    public static byte[] sample(SamplePreview sample) {
        try {
            List<BufferedImage> images = images(sample);
            int imageWidth =
                    images.stream().mapToInt(BufferedImage::getWidth).max().orElse(-MARGIN);
            int imageHeight = images.stream()
                            .mapToInt(image -> image.getHeight() + MARGIN)
                            .sum()
                    - MARGIN;
            int left = MARGIN + imageWidth + MARGIN;
            int width = left + TEXT_WIDTH + MARGIN;
            BufferedImage probe = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
            int textHeight = write(probe.createGraphics(), sample, left, 0);
            int height = MARGIN + 34 + Math.max(imageHeight, textHeight) + MARGIN;
            BufferedImage page = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = page.createGraphics();
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, width, height);
            graphics.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 15));
            graphics.setColor(INK);
            graphics.drawString(heading(sample), MARGIN, MARGIN + 12);
            int top = MARGIN + 34;
            for (BufferedImage image : images) {
                graphics.drawImage(image, MARGIN, top, null);
                top += image.getHeight() + MARGIN;
            }
            write(graphics, sample, left, MARGIN + 34);
            graphics.dispose();
            return png(page);
        } catch (OutOfMemoryError | StackOverflowError | UncheckedIOException e) {
            throw e;
        } catch (RuntimeException | Error e) {
            // AWT without fontconfig or a font throws a plain Error, an InternalError or a RuntimeException.
            throw new LlavaException(
                    "text cannot be drawn: this Java finds no font (%s); install fontconfig and a font such as DejaVu, or use --html"
                            .formatted(e),
                    e);
        }
    }

    private static List<BufferedImage> images(SamplePreview sample) {
        List<BufferedImage> images = new ArrayList<>();
        for (RgbImage image : sample.images()) {
            images.add(boxed(image, images.isEmpty() ? sample.boxes() : List.of()));
        }
        return images;
    }

    /** The line above a sample. */
    static String heading(SamplePreview sample) {
        String id = sample.record().id();
        return "record %d%s · %,d tokens, %,d supervised%s"
                .formatted(
                        sample.index(),
                        id.isEmpty() ? "" : " (" + id + ")",
                        sample.length(),
                        sample.supervised(),
                        sample.problem().isEmpty() ? "" : " · left out");
    }

    /** Writes the tokens in lines, broken where a line is full; returns the height in pixels. */
    private static int write(Graphics2D graphics, SamplePreview sample, int left, int top) {
        graphics.setFont(new Font(Font.MONOSPACED, Font.PLAIN, 14));
        FontMetrics metrics = graphics.getFontMetrics();
        int x = left;
        int y = top;
        int number = 0;
        for (SamplePreview.Token token : sample.tokens()) {
            number++;
            for (String part : token.text().split("(?<=\n)", -1)) {
                String shown = part.replace("\n", "\u21B5");
                int width = metrics.stringWidth(shown);
                if (x > left && x + width > left + TEXT_WIDTH) {
                    x = left;
                    y += LINE;
                }
                paint(graphics, shown, token.kind(), number % 2 == 0, x, y, width);
                x += width;
                if (part.endsWith("\n")) {
                    x = left;
                    y += LINE;
                }
            }
        }
        graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        y += LINE;
        for (int i = 0; i < sample.boxes().size(); i++) {
            y += LINE;
            graphics.setColor(BOX_COLOURS.get(i % BOX_COLOURS.size()));
            graphics.fillRect(left, y + 4, 12, 12);
            graphics.setColor(SOFT);
            graphics.drawString(Integer.toString(i + 1), left + 18, y + 15);
            for (String line : lines(sample.boxes().get(i).label(), graphics.getFontMetrics(), TEXT_WIDTH - 40)) {
                graphics.drawString(line, left + 40, y + 15);
                y += LINE - 6;
            }
            y -= LINE - 6;
        }
        if (!sample.problem().isEmpty()) {
            y += LINE;
            graphics.setColor(TRUNCATED);
            for (String line : lines(sample.problem(), graphics.getFontMetrics(), TEXT_WIDTH)) {
                graphics.drawString(line, left, y + 15);
                y += LINE - 6;
            }
        }
        return y + LINE - top;
    }

    /** A text in lines that fit; broken between words, or in one that is too long. */
    private static List<String> lines(String text, FontMetrics metrics, int width) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.strip().split("\\s+")) {
            if (!line.isEmpty() && metrics.stringWidth(line + " " + word) > width) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
            while (metrics.stringWidth(line.toString()) > width) {
                int fits = line.length() - 1;
                while (fits > 1 && metrics.stringWidth(line.substring(0, fits)) > width) {
                    fits--;
                }
                lines.add(line.substring(0, fits));
                line.delete(0, fits);
            }
        }
        lines.add(line.toString());
        return lines;
    }

    private static void paint(
            Graphics2D graphics, String text, SamplePreview.Kind kind, boolean alternate, int x, int y, int width) {
        Color ground = switch (kind) {
            case SUPERVISED -> alternate ? SUPERVISED_ALT : SUPERVISED;
            case IMAGE -> IMAGE_TOKENS;
            default -> alternate ? MASKED_ALT : Color.WHITE;
        };
        graphics.setColor(ground);
        graphics.fillRect(x, y, width, LINE - 5);
        graphics.setColor(
                switch (kind) {
                    case SUPERVISED -> INK;
                    case IMAGE -> Color.WHITE;
                    case TRUNCATED -> TRUNCATED;
                    case MASKED -> SOFT;
                });
        graphics.drawString(text, x, y + 15);
        if (kind == SamplePreview.Kind.TRUNCATED) {
            graphics.drawLine(x, y + 11, x + width, y + 11);
        }
    }

    private static BufferedImage boxed(RgbImage source, List<SamplePreview.LabelledBox> boxes) {
        int scale = Math.max(1, Math.ceilDiv(EDGE, source.width()));
        BufferedImage image =
                new BufferedImage(source.width() * scale, source.height() * scale, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.drawImage(buffered(source), 0, 0, image.getWidth(), image.getHeight(), null);
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        for (int i = 0; i < boxes.size(); i++) {
            double[] c = boxes.get(i).corners();
            Rectangle2D frame =
                    new Rectangle2D.Double(c[0] * scale, c[1] * scale, (c[2] - c[0]) * scale, (c[3] - c[1]) * scale);
            graphics.setStroke(new BasicStroke(5));
            graphics.setColor(Color.WHITE);
            graphics.draw(frame);
            graphics.setStroke(new BasicStroke(3));
            graphics.setColor(BOX_COLOURS.get(i % BOX_COLOURS.size()));
            graphics.draw(frame);
        }
        for (int i = 0; i < boxes.size(); i++) {
            double[] c = boxes.get(i).corners();
            number(graphics, i, (int) (c[0] * scale), (int) (c[1] * scale), image.getWidth());
        }
        graphics.dispose();
        return image;
    }

    /** A box's number on its colour, inside its upper left corner. */
    private static void number(Graphics2D graphics, int index, int left, int top, int edge) {
        String digits = Integer.toString(index + 1);
        int width = (4 * digits.length() + 1) * POINT;
        int x = Math.clamp(left, 0, Math.max(0, edge - width));
        graphics.setColor(BOX_COLOURS.get(index % BOX_COLOURS.size()));
        graphics.fillRect(x, top, width, 7 * POINT);
        graphics.setColor(Color.WHITE);
        for (int k = 0; k < digits.length(); k++) {
            int points = DIGITS[digits.charAt(k) - '0'];
            for (int bit = 0; bit < 15; bit++) {
                if ((points >> (14 - bit) & 1) == 1) {
                    graphics.fillRect(x + (1 + 4 * k + bit % 3) * POINT, top + (1 + bit / 3) * POINT, POINT, POINT);
                }
            }
        }
    }

    private static BufferedImage buffered(RgbImage source) {
        BufferedImage image = new BufferedImage(source.width(), source.height(), BufferedImage.TYPE_INT_RGB);
        byte[] pixels = source.pixels();
        for (int i = 0; i < source.width() * source.height(); i++) {
            image.setRGB(i % source.width(), i / source.width(), rgb(pixels, i));
        }
        return image;
    }

    static int rgb(byte[] pixels, int i) {
        return (pixels[3 * i] & 0xff) << 16 | (pixels[3 * i + 1] & 0xff) << 8 | pixels[3 * i + 2] & 0xff;
    }

    private static byte[] png(BufferedImage image) {
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ImageIO.write(image, "png", out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
