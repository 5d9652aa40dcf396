package io.llava4j.nano.world;

import io.llava4j.DataException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * The drawings shipped with the nano world: each category drawn by several artists, whole sets held out for tests.
 *
 * <p>The resources beside this class are made by {@code scripts/nano-drawings}; {@code ATTRIBUTION.md} among them names
 * authors and licences. Immutable as long as the pixels are not modified.
 */
public final class Drawings {
    private static final String HELD_OUT = "held-out";

    private final List<Category> categories;
    private final List<DrawingSet> sets;
    private final Map<String, List<Drawing>> byCategory;

    private Drawings(List<Category> categories, List<DrawingSet> sets, Map<String, List<Drawing>> byCategory) {
        this.categories = List.copyOf(categories);
        this.sets = List.copyOf(sets);
        this.byCategory = Map.copyOf(byCategory);
    }

    /**
     * Reads and decodes every drawing from the class path.
     *
     * @throws DataException if a resource is missing or broken
     */
    public static Drawings load() {
        List<Category> categories = new ArrayList<>();
        Map<String, List<Drawing>> byCategory = new LinkedHashMap<>();
        for (String[] row : table("categories.tsv", 4)) {
            categories.add(new Category(row[0], row[1], row[2], row[3]));
            byCategory.put(row[0], new ArrayList<>());
        }
        List<DrawingSet> sets = new ArrayList<>();
        Set<String> archives = new LinkedHashSet<>();
        for (String[] row : table("sets.tsv", 6)) {
            sets.add(new DrawingSet(row[0], row[1].equals(HELD_OUT)));
            archives.add(row[5]);
        }
        Map<String, BufferedImage> images = new HashMap<>();
        archives.forEach(archive -> images.putAll(images(archive)));

        for (String[] row : table("drawings.tsv", 5)) {
            String path = row[1] + "/" + row[2] + ".png";
            BufferedImage image = images.get(path);
            List<Drawing> drawings = byCategory.get(row[0]);
            if (image == null || drawings == null) {
                throw new DataException(
                        "drawings.tsv of the nano world names %s for \"%s\", but one of them is missing; "
                                        .formatted(path, row[0])
                                + "run scripts/nano-drawings/make.sh");
            }
            drawings.add(drawing(row[0], row[1], image));
        }
        return new Drawings(categories, sets, byCategory);
    }

    /** All categories, in the order of the file: by supercategory, then by name. */
    public List<Category> categories() {
        return categories;
    }

    /** The sets whose drawings are used in training. */
    public List<String> trainingSets() {
        return names(false);
    }

    /** The sets whose drawings are used in tests only: no training image shows these artists' drawings. */
    public List<String> heldOutSets() {
        return names(true);
    }

    /**
     * The drawings of one category by the given sets, in the order of the sets' file; empty if these sets have none. A
     * set may have several, and not every set draws every category.
     *
     * @throws IllegalArgumentException if there is no such category
     */
    public List<Drawing> of(String category, Collection<String> sets) {
        List<Drawing> drawings = byCategory.get(category);
        if (drawings == null) {
            throw new IllegalArgumentException("The nano world has no category \"" + category + "\"");
        }
        return drawings.stream().filter(d -> sets.contains(d.set())).toList();
    }

    private List<String> names(boolean heldOut) {
        return sets.stream()
                .filter(s -> s.heldOut() == heldOut)
                .map(DrawingSet::name)
                .toList();
    }

    private static Drawing drawing(String category, String set, BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        return new Drawing(category, set, width, height, argb(image));
    }

    private static int[] argb(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        if (image.getType() != BufferedImage.TYPE_4BYTE_ABGR) {
            return image.getRGB(0, 0, width, height, null, 0, width);
        }
        // The PNG reader's own layout of RGBA; getRGB would convert each pixel, which is far slower.
        byte[] rgba = (byte[]) image.getRaster().getDataElements(0, 0, width, height, null);
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) {
            argb[i] = (rgba[4 * i + 3] & 0xFF) << 24
                    | (rgba[4 * i] & 0xFF) << 16
                    | (rgba[4 * i + 1] & 0xFF) << 8
                    | (rgba[4 * i + 2] & 0xFF);
        }
        return argb;
    }

    /** Decodes a zip of PNG files, keyed by path. */
    private static Map<String, BufferedImage> images(String archive) {
        Map<String, BufferedImage> images = new HashMap<>();
        ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(bytes(archive)))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                // A memory stream: ImageIO would write a plain InputStream to a temporary file.
                reader.setInput(
                        new MemoryCacheImageInputStream(new ByteArrayInputStream(zip.readAllBytes())), true, true);
                images.put(entry.getName(), reader.read(0));
            }
        } catch (IOException e) {
            throw new DataException(archive + " of the nano world cannot be read: " + e.getMessage(), e);
        } finally {
            reader.dispose();
        }
        return images;
    }

    /** The rows of a tab-separated resource below its header. */
    private static List<String[]> table(String name, int columns) {
        List<String[]> rows = new String(bytes(name), StandardCharsets.UTF_8)
                .lines()
                .skip(1)
                .map(line -> line.split("\t", -1))
                .toList();
        for (int i = 0; i < rows.size(); i++) {
            if (rows.get(i).length != columns) {
                throw new DataException("%s of the nano world, line %d: %d columns instead of %d"
                        .formatted(name, i + 2, rows.get(i).length, columns));
            }
        }
        return rows;
    }

    /**
     * The bytes of a resource of the drawings.
     *
     * @throws DataException if it is missing or cannot be read
     */
    public static byte[] bytes(String name) {
        try (InputStream in = Drawings.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new DataException("The nano world's resource " + name + " is not on the class path");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new DataException(name + " of the nano world cannot be read: " + e.getMessage(), e);
        }
    }
}
