package io.llava4j.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Orientation tags: how each turns an image, where they are found, and that damage is ignored. */
class ExifOrientationTest {
    private static final byte[] PREFIX = "Exif\0\0".getBytes(StandardCharsets.ISO_8859_1);

    /** The image with the rows "abc" and "def", as it is meant to be seen; EXIF 2.32, section 4.6.4. */
    @ParameterizedTest
    @CsvSource({
        "1,abc/def",
        "2,cba/fed",
        "3,fed/cba",
        "4,def/abc",
        "5,ad/be/cf",
        "6,da/eb/fc",
        "7,fc/eb/da",
        "8,cf/be/ad"
    })
    void turnsAndMirrors(int orientation, String seen) {
        for (boolean little : new boolean[] {true, false}) {
            byte[] png = png(tiff(orientation, little));
            assertThat(letters(decode(png, ExifOrientation.APPLY))).isEqualTo(seen);
            assertThat(letters(decode(png, ExifOrientation.IGNORE))).isEqualTo("abc/def");
            assertThat(letters(ImageDecoder.decode(png, "it"))).isEqualTo("abc/def");
        }
    }

    @Test
    void isFoundInJpegWebpAndTiff() {
        byte[] jpeg = encoded("jpg");
        byte[] exif = join(PREFIX, tiff(6, true));
        byte[] tagged = join(
                slice(jpeg, 0, 2),
                new byte[] {(byte) 0xff, (byte) 0xe1},
                u16(exif.length + 2),
                exif,
                slice(jpeg, 2, jpeg.length));
        assertThat(orientation(tagged)).isEqualTo(6);
        assertThat(decode(tagged, ExifOrientation.APPLY).width()).isEqualTo(2);
        assertThat(decode(tagged, ExifOrientation.IGNORE))
                .usingRecursiveComparison()
                .isEqualTo(decode(jpeg, ExifOrientation.APPLY));
        for (byte[] body : new byte[][] {exif, tiff(6, true)}) {
            byte[] chunk = join("EXIF".getBytes(StandardCharsets.US_ASCII), little32(body.length), body);
            byte[] other = join("VP8X".getBytes(StandardCharsets.US_ASCII), little32(3), new byte[4]);
            byte[] webp = join(
                    "RIFF".getBytes(StandardCharsets.US_ASCII),
                    little32(4 + other.length + chunk.length),
                    "WEBP".getBytes(StandardCharsets.US_ASCII),
                    other,
                    chunk);
            assertThat(orientation(webp)).isEqualTo(6);
        }
        assertThat(orientation(tiff(8, false))).isEqualTo(8);
        assertThat(orientation(encoded("bmp"))).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 9, 65535})
    void valuesThatDoNotExistCountAsNone(int value) {
        assertThat(orientation(png(tiff(value, true)))).isEqualTo(1);
    }

    @Test
    void hostileSizesAreIgnored() {
        byte[] far = tiff(6, true);
        ByteBuffer.wrap(far).order(ByteOrder.LITTLE_ENDIAN).putInt(4, -1);
        byte[] many = tiff(6, true);
        ByteBuffer.wrap(many)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(8, (short) -1)
                .putShort(10, (short) 7);
        byte[] longs = tiff(6, true);
        ByteBuffer.wrap(longs).order(ByteOrder.LITTLE_ENDIAN).putShort(12, (short) 4);
        byte[] counted = tiff(6, true);
        ByteBuffer.wrap(counted).order(ByteOrder.LITTLE_ENDIAN).putInt(14, -1);
        for (byte[] tiff : new byte[][] {far, many, longs, counted, {}, {'I', 'I'}}) {
            assertThat(letters(decode(png(tiff), ExifOrientation.APPLY))).isEqualTo("abc/def");
        }
    }

    /** Cut anywhere or with any byte changed, the reader gives an orientation and throws nothing. */
    @Test
    void damageIsIgnored() {
        byte[] jpeg = encoded("jpg");
        byte[] exif = join(PREFIX, tiff(6, false));
        byte[] tagged = join(slice(jpeg, 0, 2), new byte[] {(byte) 0xff, (byte) 0xe1}, u16(exif.length + 2), exif);
        byte[] webp = join("RIFF\0\0\0\0WEBPEXIF".getBytes(StandardCharsets.ISO_8859_1), little32(exif.length), exif);
        SplittableRandom random = new SplittableRandom(5);
        for (byte[] whole : new byte[][] {tagged, webp, png(tiff(6, true)), tiff(6, true)}) {
            for (int end = 0; end <= whole.length; end++) {
                assertThat(orientation(slice(whole, 0, end))).isBetween(1, 8);
            }
            for (int i = 0; i < 20_000; i++) {
                byte[] changed = whole.clone();
                for (int n = random.nextInt(1, 4); n > 0; n--) {
                    changed[random.nextInt(changed.length)] = (byte) (random.nextBoolean() ? 0xff : random.nextInt());
                }
                assertThat(orientation(changed)).isBetween(1, 8);
            }
        }
    }

    private static int orientation(byte[] file) {
        return ExifReader.orientation(new ImageBytes(file, "it"));
    }

    private static RgbImage decode(byte[] file, ExifOrientation orientation) {
        return ImageDecoder.decode(file, "it", orientation);
    }

    private static String letters(RgbImage image) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < image.width() * image.height(); i++) {
            text.append(i > 0 && i % image.width() == 0 ? "/" : "").append((char) image.pixels()[3 * i]);
        }
        return text.toString();
    }

    /** A TIFF structure whose first directory has the tag alone. */
    private static byte[] tiff(int orientation, boolean little) {
        ByteBuffer tiff = ByteBuffer.allocate(26).order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        tiff.put((byte) (little ? 'I' : 'M')).put((byte) (little ? 'I' : 'M')).putShort((short) 42);
        tiff.putInt(8).putShort((short) 1);
        tiff.putShort((short) 274)
                .putShort((short) 3)
                .putInt(1)
                .putShort((short) orientation)
                .putShort((short) 0);
        return tiff.array();
    }

    /** The PNG of the letters with an {@code eXIf} chunk after its header. */
    private static byte[] png(byte[] exif) {
        byte[] png = encoded("png");
        byte[] content = join("eXIf".getBytes(StandardCharsets.US_ASCII), exif);
        CRC32 checksum = new CRC32();
        checksum.update(content);
        int header = 8 + 25;
        return join(
                slice(png, 0, header),
                ByteBuffer.allocate(4).putInt(exif.length).array(),
                content,
                ByteBuffer.allocate(4).putInt((int) checksum.getValue()).array(),
                slice(png, header, png.length));
    }

    private static byte[] encoded(String format) {
        BufferedImage image = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 6; i++) {
            image.setRGB(i % 3, i / 3, ('a' + i) * 0x010101);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            assertThat(ImageIO.write(image, format, out)).isTrue();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static byte[] u16(int value) {
        return ByteBuffer.allocate(2).putShort((short) value).array();
    }

    private static byte[] little32(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }

    private static byte[] slice(byte[] bytes, int from, int to) {
        return java.util.Arrays.copyOfRange(bytes, from, to);
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
