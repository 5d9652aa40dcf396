package io.llava4j.nano.world;

import io.llava4j.image.RgbImage;
import org.jspecify.annotations.Nullable;

/**
 * Renders scenes with integer arithmetic instead of a graphics library: the same scene gives the same bytes on every
 * machine, in a fraction of the time of a training step.
 */
public final class SceneRenderer {
    private static final int FRACTION_BITS = 16;
    private static final int ONE = 1 << FRACTION_BITS;

    private SceneRenderer() {}

    /**
     * Renders a scene, anti-aliased.
     *
     * @param scene to render
     * @param size edge of the square image in pixels
     */
    public static RgbImage render(Scene scene, int size) {
        int[] canvas = new int[size * size];
        BackgroundPainter.paint(scene.background(), canvas, size);
        if (scene.sign() != null) {
            SignFont.paint(scene.sign(), canvas, size);
        }
        for (SceneObject object : scene.objects()) {
            paint(object, canvas, size);
        }
        byte[] pixels = new byte[size * size * 3];
        for (int i = 0; i < canvas.length; i++) {
            pixels[3 * i] = (byte) (canvas[i] >> 16);
            pixels[3 * i + 1] = (byte) (canvas[i] >> 8);
            pixels[3 * i + 2] = (byte) canvas[i];
        }
        return new RgbImage(size, size, pixels);
    }

    /** Bilinear sampling of the halved level nearest in resolution, placed by the inverse of the object's transform. */
    private static void paint(SceneObject object, int[] canvas, int size) {
        Sprite sprite = object.sprite();
        double ratio = 1 / (object.scale() * size);
        int number = 0;
        while (ratio > 1.42 && number < sprite.coarsest()) {
            ratio /= 2;
            number++;
        }
        Sprite.Level level = sprite.level(number);
        int[] dye = object.tint() == null ? null : Dye.of(object.tint());
        double cos = StrictMath.cos(object.angle());
        double sin = StrictMath.sin(object.angle());
        // The corners of the rotated drawing bound the pixels it can cover.
        double halfWidth = sprite.width() * object.scale() / 2;
        double halfHeight = sprite.height() * object.scale() / 2;
        double reachX = (Math.abs(cos) * halfWidth + Math.abs(sin) * halfHeight) * size + 1;
        double reachY = (Math.abs(sin) * halfWidth + Math.abs(cos) * halfHeight) * size + 1;
        double middleX = object.anchorX() * size;
        double middleY = object.anchorY() * size;
        int firstX = Math.max(0, (int) Math.floor(middleX - reachX));
        int lastX = Math.min(size - 1, (int) Math.ceil(middleX + reachX));
        int firstY = Math.max(0, (int) Math.floor(middleY - reachY));
        int lastY = Math.min(size - 1, (int) Math.ceil(middleY + reachY));

        double flip = object.mirrored() ? -1 : 1;
        double levelScale = 1.0 / (1 << number);
        // Coordinates in the level: its pixel (i, j) has its middle at (i + 0.5, j + 0.5) and lies at (i + 1, j + 1).
        double originX = sprite.width() * levelScale / 2 + 0.5;
        double originY = sprite.height() * levelScale / 2 + 0.5;
        int stepX = (int) Math.rint(flip * cos * ratio * ONE);
        int stepY = (int) Math.rint(-sin * ratio * ONE);
        int limitX = (level.width() + 1) << FRACTION_BITS;
        int limitY = (level.height() + 1) << FRACTION_BITS;
        for (int y = firstY; y <= lastY; y++) {
            double dy = y + 0.5 - middleY;
            double dx = firstX + 0.5 - middleX;
            int atX = (int) Math.rint((flip * (cos * dx + sin * dy) * ratio + originX) * ONE);
            int atY = (int) Math.rint(((cos * dy - sin * dx) * ratio + originY) * ONE);
            for (int x = firstX; x <= lastX; x++, atX += stepX, atY += stepY) {
                if (atX < 0 || atY < 0 || atX >= limitX || atY >= limitY) {
                    continue;
                }
                int source = bilinear(level, atX, atY);
                if (source >>> 24 != 0) {
                    int at = y * size + x;
                    canvas[at] = over(dyed(source, dye), canvas[at]);
                }
            }
        }
    }

    /** Two channels at a time: with 8-bit weights each product stays inside its half of the int. */
    private static int bilinear(Sprite.Level level, int atX, int atY) {
        int x = atX >> FRACTION_BITS;
        int y = atY >> FRACTION_BITS;
        int wx = atX >> FRACTION_BITS - 8 & 0xFF;
        int wy = atY >> FRACTION_BITS - 8 & 0xFF;
        int[] argb = level.argb();
        int at = y * level.stride() + x;
        int top = mix(argb[at], argb[at + 1], wx);
        int bottom = mix(argb[at + level.stride()], argb[at + level.stride() + 1], wx);
        return mix(top, bottom, wy);
    }

    /** Channel by channel {@code a + (b - a) * weight / 256}. */
    static int mix(int a, int b, int weight) {
        int keep = 256 - weight;
        int even = ((a & 0xFF00FF) * keep + (b & 0xFF00FF) * weight + 0x800080) >>> 8 & 0xFF00FF;
        int odd = ((a >>> 8 & 0xFF00FF) * keep + (b >>> 8 & 0xFF00FF) * weight + 0x800080) & 0xFF00FF00;
        return even | odd;
    }

    private static int dyed(int premultiplied, int @Nullable [] dye) {
        if (dye == null) {
            return premultiplied;
        }
        int alpha = premultiplied >>> 24;
        int luma =
                (299 * (premultiplied >> 16 & 0xFF) + 587 * (premultiplied >> 8 & 0xFF) + 114 * (premultiplied & 0xFF))
                        / 1000;
        int rgb = dye[Math.min(255, luma * 255 / alpha)];
        return alpha << 24
                | (rgb >> 16 & 0xFF) * alpha / 255 << 16
                | (rgb >> 8 & 0xFF) * alpha / 255 << 8
                | (rgb & 0xFF) * alpha / 255;
    }

    private static int over(int premultiplied, int below) {
        int keep = 255 - (premultiplied >>> 24);
        int red = (premultiplied >> 16 & 0xFF) + ((below >> 16 & 0xFF) * keep + 127) / 255;
        int green = (premultiplied >> 8 & 0xFF) + ((below >> 8 & 0xFF) * keep + 127) / 255;
        int blue = (premultiplied & 0xFF) + ((below & 0xFF) * keep + 127) / 255;
        return Math.min(255, red) << 16 | Math.min(255, green) << 8 | Math.min(255, blue);
    }
}
