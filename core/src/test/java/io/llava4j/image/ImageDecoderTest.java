package io.llava4j.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.DataException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageDecoderTest {
    private static final Path RESOURCES = Path.of("src/test/resources/image");
    private static final Path HOSTILE = Path.of("../../shared/realdata/robust-images");

    /** Files of the folder that Pillow refuses too, or that are damaged, too large or TIFF of other kinds. */
    private static final List<String> REFUSED = List.of(
            "12bit.cropped.tif",
            "LICENSE.Pillow",
            "broken.png",
            "broken_data_stream.png",
            "decompression_bomb.gif",
            "hopper_bad_exif.jpg",
            "truncated_end_chunk.png",
            "truncated_image.png",
            "truncated_jpeg.jpg",
            "xc1n0g08.png",
            "xc9n2c08.png",
            "xcrn0g04.png",
            "xcsn0g01.png",
            "xd0n2c08.png",
            "xd3n2c08.png",
            "xd9n2c08.png",
            "xdtn0g01.png",
            "xhdn0g08.png",
            "xlfn0g04.png",
            "xs1n0g01.png",
            "xs2n0g01.png",
            "xs4n0g01.png",
            "xs7n0g01.png");

    @Test
    void everyHostileFileGivesAImageOrOneClearRefusal() throws IOException {
        assumeTrue(Files.isDirectory(HOSTILE), "reference data are not here: " + HOSTILE);
        List<String> refused = new ArrayList<>();
        List<Path> files;
        try (Stream<Path> walk = Files.walk(HOSTILE)) {
            files = walk.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            Assertions.assertTimeoutPreemptively(
                    Duration.ofSeconds(20),
                    () -> {
                        assertCheckRefusesNothingElse(Files.readAllBytes(file));
                        try {
                            ImageDecoder.decode(file);
                        } catch (DataException e) {
                            assertThat(e).hasMessageStartingWith("image " + file);
                            refused.add(file.getFileName().toString());
                        }
                    },
                    () -> file + " takes too long");
        }
        assertThat(refused).containsExactlyInAnyOrderElementsOf(REFUSED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg", "gif", "bmp"})
    void everyCutIsRefusedAndNoDamageEscapesAsAnotherException(String format) throws IOException {
        byte[] whole = encode(noise(41, 23), format);
        byte[] pixels = ImageDecoder.decode(whole, "whole").pixels();
        assertThat(pixels).hasSize(41 * 23 * 3);
        // What follows a GIF's last pixel and the padding of a BMP's last row may be missing: no pixel is lost.
        int needed = whole.length - (format.equals("gif") || format.equals("bmp") ? 6 : 0);
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertCheckRefusesNothingElse(cut);
            try {
                assertThat(ImageDecoder.decode(cut, "cut").pixels()).isEqualTo(pixels);
                assertThat(length).isGreaterThanOrEqualTo(needed);
            } catch (DataException e) {
                assertThat(e).hasMessageStartingWith("image cut ");
            }
        }
        Random random = new Random(7);
        for (int i = 0; i < 500; i++) {
            byte[] damaged = whole.clone();
            for (int k = 0; k < 3; k++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            assertCheckRefusesNothingElse(damaged);
            try {
                ImageDecoder.decode(damaged, "damaged");
            } catch (DataException e) {
                assertThat(e).hasMessageStartingWith("image damaged ");
            }
        }
    }

    /** What the check refuses, decoding refuses with the same sentence. */
    private static void assertCheckRefusesNothingElse(byte[] file) {
        try {
            ImageDecoder.check(file, "checked");
        } catch (DataException e) {
            assertThatThrownBy(() -> ImageDecoder.decode(file, "checked"))
                    .isInstanceOf(DataException.class)
                    .hasMessage(e.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg", "bmp", "tiff"})
    void theCheckFindsAFileThatEndsEarly(String format) throws IOException {
        byte[] whole = encode(noise(41, 23), format);
        ImageDecoder.check(whole, "whole");
        assertThatThrownBy(() -> ImageDecoder.check(Arrays.copyOf(whole, whole.length / 2), "cut"))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("image cut ");
    }

    /** Sums of what libjpeg-turbo's djpeg gives for the same files, see the README beside them. */
    @ParameterizedTest
    @CsvSource({
        "chroma-440.jpg, b225052b60de074015a7f3eac91d6fd25b1cbdb3d7602cb21e433fdc5f61c9fe",
        "chroma-440-progressive.jpg, b225052b60de074015a7f3eac91d6fd25b1cbdb3d7602cb21e433fdc5f61c9fe",
        "chroma-mixed.jpg, 68bec1fc0ce1bef6a056d8988461d85bf827efe5d77fd0d2ee8b34f0aa88dc40"
    })
    void chromaOfHalfTheRowsIsInterpolated(String file, String sha256) throws Exception {
        RgbImage image = ImageDecoder.decode(RESOURCES.resolve(file));
        assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(image.pixels())))
                .isEqualTo(sha256);
    }

    @Test
    void aProgressiveFileWithoutAllScansIsRefused() {
        assertThatThrownBy(() -> ImageDecoder.decode(RESOURCES.resolve("progressive-partial.jpg")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("ends before all of its scans");
    }

    @Test
    void bytesThatBelongToNoMarkerAreDamage() throws IOException {
        byte[] whole = Files.readAllBytes(RESOURCES.resolve("chroma-440.jpg"));
        byte[] stray = Arrays.copyOf(whole, whole.length + 18);
        Arrays.fill(stray, whole.length - 2, whole.length + 16, (byte) 0x55);
        stray[stray.length - 2] = (byte) 0xff;
        stray[stray.length - 1] = (byte) 0xd9;
        assertThatThrownBy(() -> ImageDecoder.decode(stray, "stray"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("extraneous bytes");
    }

    @Test
    void aRunLengthBitmapNeedsItsEndCode() throws IOException {
        // 4 x 2 pixels of 8 bits: two runs of four, an end of line between them, the end of the bitmap.
        byte[] codes = {4, 1, 0, 0, 4, 2, 0, 1};
        byte[] bitmap = runLengthBitmap(codes);
        assertThat(ImageDecoder.decode(bitmap, "whole").width()).isEqualTo(4);
        byte[] endless = runLengthBitmap(Arrays.copyOf(codes, 6));
        assertThatThrownBy(() -> ImageDecoder.decode(endless, "endless")).hasMessageContaining("is truncated");
    }

    private static byte[] runLengthBitmap(byte[] codes) {
        ByteBuffer file = ByteBuffer.allocate(54 + 1024 + codes.length).order(ByteOrder.LITTLE_ENDIAN);
        file.put((byte) 'B').put((byte) 'M').putInt(file.capacity()).putInt(0).putInt(54 + 1024);
        file.putInt(40)
                .putInt(4)
                .putInt(2)
                .putShort((short) 1)
                .putShort((short) 8)
                .putInt(1)
                .putInt(codes.length);
        file.putInt(0).putInt(0).putInt(256).putInt(0);
        for (int i = 0; i < 256; i++) {
            file.putInt(i * 0x010101);
        }
        return file.put(codes).array();
    }

    @Test
    void tiffHasTheSamePixelsAsTheSameImageInAnotherFormat() {
        assumeTrue(Files.isDirectory(HOSTILE), "reference data are not here: " + HOSTILE);
        RgbImage tiff = ImageDecoder.decode(HOSTILE.resolve("hopper.tif"));
        RgbImage png = ImageDecoder.decode(HOSTILE.resolve("hopper.bmp"));
        assertThat(tiff.pixels()).isEqualTo(png.pixels());
    }

    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_3BYTE_BGR, BufferedImage.TYPE_BYTE_GRAY})
    void tiffKeepsPixelsAndEveryCutIsRefused(int type) throws IOException {
        BufferedImage image = new BufferedImage(31, 17, type);
        Random random = new Random(5);
        for (int i = 0; i < 31 * 17; i++) {
            image.getRaster().setPixel(i % 31, i / 31, random.ints(3, 0, 256).toArray());
        }
        byte[] tiff = encode(image, "tiff");
        byte[] png = encode(image, "png");
        assertThat(ImageDecoder.decode(tiff, "t").pixels())
                .isEqualTo(ImageDecoder.decode(png, "p").pixels());
        for (int length = 0; length < tiff.length; length += 7) {
            byte[] cut = Arrays.copyOf(tiff, length);
            assertThatThrownBy(() -> ImageDecoder.decode(cut, "cut")).isInstanceOf(DataException.class);
        }
    }

    @Test
    void filesThatAreNoImageAreNamedForWhatTheyAre() {
        for (var example : Map.of(
                        "version https://git-lfs.github.com/v1\noid sha256:00", "git lfs pull",
                        "<!DOCTYPE html><html>", "web page",
                        "\n<html><body>404", "web page",
                        "<svg xmlns=''/>", "SVG")
                .entrySet()) {
            assertThatThrownBy(() -> ImageDecoder.decode(example.getKey().getBytes(StandardCharsets.UTF_8), "x.jpg"))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining(example.getValue());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0000001866747970 68656963 00000000|a HEIC image",
                "0000001c66747970 61766966 00000000|an AVIF image",
                "0000002066747970 69736f6d 00000200|a video",
                "ff0a00000000|a JPEG XL image",
                "0000000c6a502020 0d0a870a|a JPEG 2000 image",
                "38425053 0001|a Photoshop document",
                "255044462d312e37|a PDF document",
                "504b0304 1400|a ZIP archive"
            })
    void formatsThatAreNotDecodedAreNamed(String bytes, String name) {
        byte[] file = HexFormat.of().parseHex(bytes.replace(" ", ""));
        assertThatThrownBy(() -> ImageDecoder.decode(file, "x.jpg"))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("image x.jpg cannot be read: it is " + name + ", not a JPEG");
    }

    /** As Pillow reads them: the upper byte, not the nearest one. */
    @Test
    void aPaletteOfTiffIsReadByItsUpperBytes() {
        ByteBuffer tiff = ByteBuffer.allocate(2048).order(ByteOrder.LITTLE_ENDIAN);
        tiff.put("II*\0".getBytes(StandardCharsets.ISO_8859_1))
                .putInt(16)
                .putInt(0)
                .putShort((short) 0);
        tiff.put(14, (byte) 0).put(15, (byte) 3).position(16); // two pixels of colours 0 and 3
        int[][] tags = {
            {256, 3, 1, 2}, {257, 3, 1, 1}, {258, 3, 1, 8}, {259, 3, 1, 1}, {262, 3, 1, 3},
            {273, 4, 1, 14}, {277, 3, 1, 1}, {278, 3, 1, 1}, {279, 4, 1, 2}, {320, 3, 768, 256}
        };
        tiff.putShort((short) tags.length);
        for (int[] tag : tags) {
            tiff.putShort((short) tag[0])
                    .putShort((short) tag[1])
                    .putInt(tag[2])
                    .putInt(tag[3]);
        }
        tiff.putInt(0);
        for (int i = 0; i < 768; i++) {
            tiff.putShort(256 + 2 * i, (short) (i % 256 == 3 ? 0xFEFF - i : 0x80FF));
        }
        assertThat(ImageDecoder.decode(tiff.array(), "t").pixels()).containsExactly(0x80, 0x80, 0x80, 0xFE, 0xFD, 0xFC);
    }

    @Test
    void aBombIsRefusedByItsHeader() {
        ByteBuffer png = ByteBuffer.allocate(45);
        png.put(PngDecoder.SIGNATURE.getBytes(StandardCharsets.ISO_8859_1)).putInt(13);
        png.put("IHDR".getBytes(StandardCharsets.ISO_8859_1)).putInt(100_000).putInt(100_000);
        png.put(new byte[] {8, 2, 0, 0, 0});
        CRC32 crc = new CRC32();
        crc.update(png.array(), 12, 17);
        png.putInt((int) crc.getValue());
        assertThatThrownBy(() -> ImageDecoder.decode(png.array(), "bomb.png"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("bomb.png is too large: its header claims 100000 x 100000 pixels");
        assertThatThrownBy(() -> ImageDecoder.check(png.array(), "bomb.png"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("bomb.png is too large: its header claims 100000 x 100000 pixels");
    }

    /** The header promises 75 MB of pixels, and there are none. */
    @Test
    void theCheckDecodesNoPixel() {
        ByteBuffer png = ByteBuffer.allocate(8 + 25 + 12 + 12);
        png.put(PngDecoder.SIGNATURE.getBytes(StandardCharsets.ISO_8859_1));
        chunk(png, "IHDR", new byte[] {0, 0, 0x13, (byte) 0x88, 0, 0, 0x13, (byte) 0x88, 8, 2, 0, 0, 0});
        chunk(png, "IDAT", new byte[0]);
        chunk(png, "IEND", new byte[0]);
        ImageDecoder.check(png.array(), "empty.png");
        assertThatThrownBy(() -> ImageDecoder.decode(png.array(), "empty.png")).isInstanceOf(DataException.class);
    }

    private static void chunk(ByteBuffer png, String name, byte[] data) {
        CRC32 crc = new CRC32();
        crc.update(name.getBytes(StandardCharsets.ISO_8859_1));
        crc.update(data);
        png.putInt(data.length)
                .put(name.getBytes(StandardCharsets.ISO_8859_1))
                .put(data)
                .putInt((int) crc.getValue());
    }

    @Test
    void pixelsOfLosslessFormatsComeBackUnchanged() throws IOException {
        BufferedImage image = noise(37, 19);
        for (String format : List.of("png", "bmp")) {
            RgbImage decoded = ImageDecoder.decode(encode(image, format), format);
            for (int i = 0; i < 37 * 19; i++) {
                int rgb = image.getRGB(i % 37, i / 37);
                assertThat(new byte[] {decoded.pixels()[i * 3], decoded.pixels()[i * 3 + 1], decoded.pixels()[i * 3 + 2]
                        })
                        .containsExactly((byte) (rgb >> 16), (byte) (rgb >> 8), (byte) rgb);
            }
        }
    }

    @Test
    void contentDecidesNotTheName(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("image.gif");
        Files.write(file, encode(noise(5, 4), "png"));
        assertThat(ImageDecoder.decode(file).height()).isEqualTo(4);
    }

    @Test
    void whatIsNoImageFileIsNamed(@TempDir Path dir) throws IOException {
        Path missing = dir.resolve("missing.png");
        assertThatThrownBy(() -> ImageDecoder.decode(missing))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(missing + " does not exist");
        assertThatThrownBy(() -> ImageDecoder.decode(dir))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(dir + " is not a file");
        Path empty = Files.createFile(dir.resolve("empty.jpg"));
        assertThatThrownBy(() -> ImageDecoder.decode(empty))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(empty + " is truncated: the file is empty");
    }

    private static BufferedImage noise(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(3);
        for (int i = 0; i < width * height; i++) {
            image.setRGB(i % width, i / width, random.nextInt());
        }
        return image;
    }

    private static byte[] encode(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        assertThat(ImageIO.write(image, format, bytes)).isTrue();
        return bytes.toByteArray();
    }
}
