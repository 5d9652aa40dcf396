import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Renders the SVG files with rsvg-convert, crops each to its visible pixels and packs them.
 *
 * <p>usage: java PackDrawings.java CATEGORIES_TSV SETS_TSV SVG_DIR OUT_DIR
 */
final class PackDrawings {
    /** Longest edge of a cropped drawing in pixels. */
    static final int EDGE = 96;

    /** Size of the first rendering, which only finds the visible part. */
    static final int PROBE = 128;

    record Entry(String category, String set, String entry) {
        String path() {
            return set + "/" + entry + ".png";
        }
    }

    record Box(int x, int y, int width, int height) {}

    public static void main(String[] args) throws Exception {
        List<String[]> categories = table(Path.of(args[0]));
        List<String[]> sets = table(Path.of(args[1]));
        Path svgs = Path.of(args[2]);
        Path out = Path.of(args[3]);
        Files.createDirectories(out);

        String[] header = categories.removeFirst();
        int firstSet = Arrays.asList(header).indexOf("article") + 1;
        sets.removeFirst();
        Map<String, String[]> setByName = new TreeMap<>();
        sets.forEach(s -> setByName.put(s[0], s));

        List<Entry> entries = new ArrayList<>();
        StringBuilder names = new StringBuilder("category\tplural\tsupercategory\tarticle\n");
        for (String[] row : categories) {
            names.append(String.join("\t", Arrays.copyOf(row, firstSet))).append('\n');
            for (int i = firstSet; i < row.length; i++) {
                for (String entry : row[i].split("\\|")) {
                    if (!entry.isEmpty()) entries.add(new Entry(row[0], header[i], entry));
                }
            }
        }

        Map<String, Map<String, byte[]>> archives = new TreeMap<>();
        StringBuilder list = new StringBuilder("category\tset\tentry\tartist\tlicence\n");
        try (var pool = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
            List<Callable<byte[]>> jobs = new ArrayList<>();
            entries.forEach(e -> jobs.add(() -> draw(svgs.resolve(e.set()).resolve(e.entry() + ".svg"))));
            List<Future<byte[]>> pngs = pool.invokeAll(jobs);
            for (int i = 0; i < entries.size(); i++) {
                Entry e = entries.get(i);
                String[] set = setByName.get(e.set());
                var archive = archives.computeIfAbsent(set[5], _ -> new TreeMap<>());
                if (archive.put(e.path(), pngs.get(i).get()) != null) {
                    throw new IOException(e.path() + " is used by two categories");
                }
                list.append(String.join("\t", e.category(), e.set(), e.entry(), set[2], set[4])).append('\n');
            }
        }
        for (var archive : archives.entrySet()) {
            Files.write(out.resolve(archive.getKey()), zip(archive.getValue()));
        }
        Files.writeString(out.resolve("categories.tsv"), names);
        Files.writeString(out.resolve("drawings.tsv"), list);
        Files.copy(Path.of(args[1]), out.resolve("sets.tsv"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    /** Renders twice: once to find the visible part, once so that this part's longest edge is about EDGE. */
    static byte[] draw(Path svg) throws IOException, InterruptedException {
        Box seen = visible(svg, render(svg, PROBE));
        // One pixel of room on each side: edges that are softened at the new size.
        int size = (EDGE - 2) * PROBE / Math.max(seen.width(), seen.height());
        BufferedImage image = render(svg, size);
        Box box = visible(svg, image);
        if (Math.max(box.width(), box.height()) > EDGE) throw new IOException(svg + ": larger than " + EDGE);
        BufferedImage cropped = new BufferedImage(box.width(), box.height(), BufferedImage.TYPE_INT_ARGB);
        for (int y = 0; y < box.height(); y++) {
            for (int x = 0; x < box.width(); x++) {
                int argb = image.getRGB(box.x() + x, box.y() + y);
                // The colour of an invisible pixel means nothing; 0 compresses best.
                cropped.setRGB(x, y, argb >>> 24 == 0 ? 0 : argb);
            }
        }
        return png(cropped);
    }

    static BufferedImage render(Path svg, int size) throws IOException, InterruptedException {
        String edge = Integer.toString(size);
        Process process = new ProcessBuilder(
                        "rsvg-convert", "--width", edge, "--height", edge, "--keep-aspect-ratio", svg.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedImage image;
        try (var in = process.getInputStream()) {
            image = ImageIO.read(new java.io.ByteArrayInputStream(in.readAllBytes()));
        }
        if (process.waitFor() != 0 || image == null) throw new IOException("rsvg-convert cannot draw " + svg);
        return image;
    }

    static Box visible(Path svg, BufferedImage image) throws IOException {
        int left = Integer.MAX_VALUE, top = Integer.MAX_VALUE, right = -1, bottom = -1;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                if (image.getRGB(x, y) >>> 24 == 0) continue;
                left = Math.min(left, x);
                right = Math.max(right, x);
                top = Math.min(top, y);
                bottom = Math.max(bottom, y);
            }
        }
        if (right < 0) throw new IOException(svg + ": nothing visible");
        return new Box(left, top, right - left + 1, bottom - top + 1);
    }

    static byte[] png(BufferedImage image) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        ImageWriteParam param = writer.getDefaultWriteParam();
        param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        param.setCompressionQuality(0); // 0 = smallest; PNG is lossless at any setting
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (var stream = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, null), param);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    /** A zip of stored entries in name order with a fixed date, so that equal input gives equal bytes. */
    static byte[] zip(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (var file : files.entrySet()) {
                CRC32 crc = new CRC32();
                crc.update(file.getValue());
                ZipEntry entry = new ZipEntry(file.getKey());
                entry.setMethod(ZipEntry.STORED);
                entry.setSize(file.getValue().length);
                entry.setCrc(crc.getValue());
                entry.setTimeLocal(LocalDateTime.of(1980, 1, 1, 0, 0));
                zip.putNextEntry(entry);
                zip.write(file.getValue());
                zip.closeEntry();
            }
        }
        return bytes.toByteArray();
    }

    static List<String[]> table(Path path) throws IOException {
        List<String[]> rows = new ArrayList<>();
        for (String line : Files.readAllLines(path)) rows.add(line.split("\t", -1));
        return rows;
    }
}
