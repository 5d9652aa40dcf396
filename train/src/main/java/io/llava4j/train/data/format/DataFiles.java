package io.llava4j.train.data.format;

import io.llava4j.DataException;
import io.llava4j.io.ForeignContent;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Opens data sets in all formats. The format is recognised by content where that is decisive, and by name otherwise:
 *
 * <ul>
 *   <li>JSON array, JSON lines, either of them gzipped
 *   <li>CSV ({@code .csv}) and TSV ({@code .tsv}) with a header
 *   <li>Parquet, one file or a folder of them; images inside
 *   <li>WebDataset: a {@code .tar} or a folder of them; images inside
 *   <li>a folder of images with {@code metadata.csv}, {@code metadata.jsonl}, or a text file for each image
 * </ul>
 *
 * <p>A file may be given in parts, as {@code name-{000..123}.tar} or {@code name-{00000..00015}.jsonl}.
 */
public final class DataFiles {
    private static final Pattern BRACES = Pattern.compile("(.*)\\{(\\d{1,9})\\.\\.(\\d{1,9})}(.*)");
    private static final int MAX_SHARDS = 100_000;
    private static final int TAR_MAGIC_OFFSET = 257;

    private DataFiles() {}

    /**
     * Reads all rows of a data set.
     *
     * @param path file, folder or brace pattern
     * @param handler takes the rows
     * @return the images inside the data set, to be closed by the caller; null if images are separate files
     * @throws DataException in one sentence, if it is missing, of an unknown format, or cannot be read to its end
     */
    public static @Nullable Images read(Path path, RecordHandler handler) {
        try {
            return reader(path).read(handler);
        } catch (NoSuchFileException e) {
            throw new DataException("%s does not exist; check the path".formatted(e.getFile()), e);
        } catch (IOException e) {
            throw new DataException("%s cannot be read: %s".formatted(path, e.getMessage()), e);
        }
    }

    private static RowSource reader(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            return folder(path);
        }
        List<Path> files = filesOf(path);
        if (!files.equals(List.of(path))) {
            return parts(files);
        }
        byte[] head = head(path);
        ForeignContent.describe(head).ifPresent(what -> {
            throw new DataException("%s %s".formatted(path, what));
        });
        String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
        if (startsWith(head, 0, "PAR1")) {
            return new ParquetRows(List.of(path));
        }
        boolean gzip = head.length > 1 && (head[0] & 0xff) == 0x1f && (head[1] & 0xff) == 0x8b;
        if (gzip && (name.endsWith(".tar.gz") || name.endsWith(".tgz"))) {
            throw new DataException(
                    "%s is compressed, so its images cannot be read one by one; gunzip it".formatted(path));
        }
        if (name.endsWith(".tar") || startsWith(head, TAR_MAGIC_OFFSET, "ustar")) {
            return new TarRows(List.of(path));
        }
        if (name.endsWith(".csv") || name.endsWith(".tsv")) {
            return new CsvRows(path);
        }
        return new JsonRows(path, gzip);
    }

    private static RowSource folder(Path folder) throws IOException {
        List<Path> tars = new ArrayList<>();
        List<Path> parquets = new ArrayList<>();
        Path metadata = null;
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.sorted().toList()) {
                String name = entry.getFileName().toString().toLowerCase(Locale.ROOT);
                if (name.endsWith(".tar")) {
                    tars.add(entry);
                } else if (name.endsWith(".parquet")) {
                    parquets.add(entry);
                } else if (name.equals("metadata.csv") || name.equals("metadata.jsonl")) {
                    metadata = entry;
                }
            }
        }
        if (!tars.isEmpty() && !parquets.isEmpty()) {
            throw new DataException("%s holds both .tar and .parquet files; name one kind".formatted(folder));
        }
        if (!tars.isEmpty()) {
            return new TarRows(tars);
        }
        if (!parquets.isEmpty()) {
            return new ParquetRows(parquets);
        }
        return new CaptionedFolder(folder, metadata == null ? null : reader(metadata));
    }

    private static RowSource parts(List<Path> files) throws IOException {
        String name = files.getFirst().toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".tar")) {
            return new TarRows(files);
        }
        if (name.endsWith(".parquet")) {
            return new ParquetRows(files);
        }
        return handler -> {
            for (Path file : files) {
                @Nullable Images none = reader(file).read(handler);
                if (none != null) {
                    none.close();
                    throw new DataException(
                            "%s holds images; name such files by their endings, .tar or .parquet".formatted(file));
                }
            }
            return null;
        };
    }

    /** The files that a path such as {@code train-{000000..000012}.tar} names; only the path itself if it is no pattern. */
    public static List<Path> filesOf(Path path) {
        Matcher braces = BRACES.matcher(path.toString());
        if (!braces.matches() || Files.exists(path)) {
            return List.of(path);
        }
        int first = Integer.parseInt(braces.group(2));
        int last = Integer.parseInt(braces.group(3));
        if (last < first || last - first >= MAX_SHARDS) {
            throw new DataException("%s names %s files; write {first..last} with at most %d"
                    .formatted(path, last < first ? "no" : "too many", MAX_SHARDS));
        }
        String number = "%0" + braces.group(2).length() + "d";
        List<Path> files = new ArrayList<>();
        for (int i = first; i <= last; i++) {
            files.add(Path.of(braces.group(1) + number.formatted(i) + braces.group(4)));
        }
        return files;
    }

    private static byte[] head(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return in.readNBytes(TAR_MAGIC_OFFSET + 5);
        }
    }

    private static boolean startsWith(byte[] head, int at, String magic) {
        return head.length >= at + magic.length()
                && new String(head, at, magic.length(), StandardCharsets.ISO_8859_1).equals(magic);
    }
}
