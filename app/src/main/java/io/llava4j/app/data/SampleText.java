package io.llava4j.app.data;

import io.llava4j.image.AspectMode;
import io.llava4j.image.ImageProcessor;
import io.llava4j.image.RgbImage;
import java.awt.Color;
import java.util.List;

/** Samples as text for a terminal: in colours, or with brackets around supervised tokens. */
public final class SampleText {
    private static final String RESET = "\u001B[0m";
    private static final int COLUMNS = 48;

    private final boolean colours;

    /** @param colours whether to use ANSI colours */
    public SampleText(boolean colours) {
        this.colours = colours;
    }

    /** A sample in lines, each ended by a line feed. */
    public String render(SamplePreview sample) {
        StringBuilder out = new StringBuilder();
        out.append(colours ? "\u001B[1m" : "")
                .append(SamplePainter.heading(sample))
                .append(colours ? RESET : "");
        out.append('\n');
        sample.record().images().forEach(image -> out.append(image).append('\n'));
        for (int i = 0; colours && i < sample.images().size(); i++) {
            image(out, sample.images().get(i), i == 0 ? sample.boxes() : List.of());
        }
        tokens(out, sample.tokens());
        out.append('\n');
        for (int i = 0; i < sample.boxes().size(); i++) {
            SamplePreview.LabelledBox box = sample.boxes().get(i);
            double[] c = box.corners();
            out.append(foreground(SamplePainter.BOX_COLOURS.get(i % SamplePainter.BOX_COLOURS.size())))
                    .append("□ ")
                    .append(colours ? RESET : "")
                    .append("%.0f, %.0f to %.0f, %.0f: %s%n".formatted(c[0], c[1], c[2], c[3], printable(box.label())));
        }
        if (!sample.problem().isEmpty()) {
            out.append("left out: ").append(sample.problem()).append('\n');
        }
        return out.toString();
    }

    private void tokens(StringBuilder out, List<SamplePreview.Token> tokens) {
        SamplePreview.Kind before = SamplePreview.Kind.MASKED;
        int number = 0;
        for (SamplePreview.Token token : tokens) {
            String text = printable(token.text());
            if (colours) {
                String style = switch (token.kind()) {
                    case SUPERVISED -> number++ % 2 == 0 ? "\u001B[30;48;5;114m" : "\u001B[30;48;5;150m";
                    case IMAGE -> "\u001B[97;48;5;30m";
                    case TRUNCATED -> "\u001B[9;31m";
                    case MASKED -> "\u001B[2m";
                };
                // Reset before a line feed: the background would fill the line.
                out.append(style)
                        .append(text.replace("\n", RESET + "\n" + style))
                        .append(RESET);
            } else {
                if (token.kind() != before) {
                    out.append(close(before)).append(open(token.kind()));
                    before = token.kind();
                }
                out.append(text);
            }
        }
        out.append(colours ? "" : close(before));
    }

    private static String open(SamplePreview.Kind kind) {
        return switch (kind) {
            case SUPERVISED -> "⟦";
            case IMAGE -> "<";
            case TRUNCATED -> "⟨truncated: ";
            case MASKED -> "";
        };
    }

    private static String close(SamplePreview.Kind kind) {
        return switch (kind) {
            case SUPERVISED -> "⟧";
            case IMAGE -> ">";
            case TRUNCATED -> "⟩";
            case MASKED -> "";
        };
    }

    /** Marks and keeps line feeds; replaces other control characters. */
    private static String printable(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            if (c == '\n') {
                out.append("↵\n");
            } else {
                out.appendCodePoint(Character.isISOControl(c) ? 0xFFFD : c);
            }
        });
        return out.toString();
    }

    /** Two pixels a character: the upper half in the foreground's colour, the lower in the background's. */
    private static void image(StringBuilder out, RgbImage image, List<SamplePreview.LabelledBox> boxes) {
        RgbImage small = new ImageProcessor(COLUMNS, AspectMode.PAD).resize(image);
        int[] pixels = new int[COLUMNS * COLUMNS];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = SamplePainter.rgb(small.pixels(), i);
        }
        // A canvas of tiles may be oblong; it lies in the middle.
        int edge = Math.max(image.width(), image.height());
        double scale = (double) COLUMNS / edge;
        int left = (edge - image.width()) / 2;
        int top = (edge - image.height()) / 2;
        for (int b = 0; b < boxes.size(); b++) {
            int colour = SamplePainter.BOX_COLOURS
                            .get(b % SamplePainter.BOX_COLOURS.size())
                            .getRGB()
                    & 0xffffff;
            double[] c = boxes.get(b).corners();
            int x1 = Math.clamp((int) ((c[0] + left) * scale), 0, COLUMNS - 1);
            int y1 = Math.clamp((int) ((c[1] + top) * scale), 0, COLUMNS - 1);
            int x2 = Math.clamp((int) ((c[2] + left) * scale), 0, COLUMNS - 1);
            int y2 = Math.clamp((int) ((c[3] + top) * scale), 0, COLUMNS - 1);
            for (int x = x1; x <= x2; x++) {
                pixels[y1 * COLUMNS + x] = colour;
                pixels[y2 * COLUMNS + x] = colour;
            }
            for (int y = y1; y <= y2; y++) {
                pixels[y * COLUMNS + x1] = colour;
                pixels[y * COLUMNS + x2] = colour;
            }
        }
        for (int y = 0; y + 1 < COLUMNS; y += 2) {
            for (int x = 0; x < COLUMNS; x++) {
                int upper = pixels[y * COLUMNS + x];
                int lower = pixels[(y + 1) * COLUMNS + x];
                out.append("\u001B[38;2;%d;%d;%dm\u001B[48;2;%d;%d;%dm▀"
                        .formatted(
                                upper >> 16,
                                upper >> 8 & 255,
                                upper & 255,
                                lower >> 16,
                                lower >> 8 & 255,
                                lower & 255));
            }
            out.append(RESET).append('\n');
        }
    }

    private String foreground(Color colour) {
        return colours ? "\u001B[38;2;%d;%d;%dm".formatted(colour.getRed(), colour.getGreen(), colour.getBlue()) : "";
    }
}
