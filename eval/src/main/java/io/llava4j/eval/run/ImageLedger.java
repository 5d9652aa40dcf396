package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.report.UnusableImages;
import io.llava4j.io.Journal;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which content of each image the answers of a file are about: {@code answers.jsonl.images} beside it, a JSON line for each
 * image. A resumed run asks the questions again whose image has changed, was mended, or was treated by another
 * {@link MissingImagePolicy}.
 */
final class ImageLedger {
    /** Ending of the file. */
    static final String ENDING = ".images";

    /**
     * An image as it was when its questions were answered.
     *
     * @param sha256 of the file; empty where there was none
     * @param problem why it could not be used; empty where it could
     * @param policy what then happened; empty where it could be used
     */
    record Entry(String sha256, String problem, String policy) {
        static Entry usable(String sha256) {
            return new Entry(sha256, "", "");
        }
    }

    private final Path file;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private ImageLedger(Path file) {
        this.file = file;
    }

    /** The ledger of an answer file; empty where there is none, as beside answers of earlier versions. */
    static ImageLedger of(Path answers) {
        ImageLedger ledger = new ImageLedger(answers.resolveSibling(answers.getFileName() + ENDING));
        if (Files.exists(ledger.file)) {
            Journal.cutTornLine(ledger.file);
            JsonFiles.lines(
                    ledger.file,
                    JsonFiles.BrokenLines.REFUSE,
                    line -> ledger.entries.put(
                            line.text("image"),
                            new Entry(line.text("sha256"), line.scalar("problem", ""), line.scalar("policy", ""))));
        }
        return ledger;
    }

    /** What is known of an image; null if nothing. */
    @Nullable
    Entry entry(String image) {
        return entries.get(image);
    }

    /** Adds the entries of a shard for images that are not known yet. */
    void adopt(ImageLedger shard) {
        shard.entries.forEach(entries::putIfAbsent);
    }

    /** Forgets an image whose questions are asked again. */
    void forget(String image) {
        entries.remove(image);
    }

    /** Notes an image before its first answer is written. */
    void add(String image, Entry entry) {
        if (!entry.equals(entries.put(image, entry))) {
            Journal.append(file, line(image, entry) + "\n");
        }
    }

    /** Writes the entries of the answered questions in their order. */
    void write(Collection<Question> questions) {
        Map<String, Entry> ordered = new LinkedHashMap<>();
        for (Question question : questions) {
            for (String image : question.images()) {
                Entry entry = entries.get(image);
                if (entry != null) {
                    ordered.put(image, entry);
                }
            }
        }
        if (!ordered.isEmpty()) {
            PythonJson.writeLines(file, ordered.entrySet().stream().map(e -> fields(e.getKey(), e.getValue())));
        }
    }

    /** The unusable images among those of some questions; null if all could be used. */
    @Nullable
    UnusableImages unusable(List<Question> questions) {
        Map<String, Entry> bad = new LinkedHashMap<>();
        int asked = 0;
        for (Question question : questions) {
            boolean affected = false;
            for (String image : question.images()) {
                Entry entry = entries.get(image);
                if (entry != null && !entry.problem().isEmpty()) {
                    bad.put(image, entry);
                    affected = true;
                }
            }
            asked += affected ? 1 : 0;
        }
        if (bad.isEmpty()) {
            return null;
        }
        Entry first = bad.values().iterator().next();
        return new UnusableImages(first.policy(), bad.size(), asked, first.problem());
    }

    private static Map<String, Object> fields(String image, Entry entry) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("image", image);
        fields.put("sha256", entry.sha256());
        if (!entry.problem().isEmpty()) {
            fields.put("problem", entry.problem());
            fields.put("policy", entry.policy());
        }
        return fields;
    }

    private static String line(String image, Entry entry) {
        return PythonJson.dumps(fields(image, entry));
    }

    /** Hash of a file's content; empty if there is no such file. */
    static String sha256(@Nullable Path image) {
        if (image == null || !Files.isRegularFile(image)) {
            return "";
        }
        try (InputStream in = Files.newInputStream(image);
                DigestInputStream digest = new DigestInputStream(in, MessageDigest.getInstance("SHA-256"))) {
            digest.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(digest.getMessageDigest().digest());
        } catch (IOException e) {
            throw new DataException("image %s cannot be read (%s)".formatted(image, e.getMessage()), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
