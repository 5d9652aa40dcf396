package io.llava4j.eval.several;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonRecord;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A sentence about a pair of images.
 *
 * @param identifier {@code split-set-pair-sentence}, such as {@code dev-850-0-1}
 * @param sentence what may be true
 * @param label {@code True} or {@code False}
 * @param images file names of the left and the right image; the extension lies, they are decoded by content
 * @param group the identifier without the pair: all examples of the sentence
 */
public record Nlvr2Example(String identifier, String sentence, String label, List<String> images, String group) {
    private static final Pattern IDENTIFIER = Pattern.compile("([^-]+)-(\\d+)-(\\d+)-(\\d+)");

    /**
     * The examples of a file of JSON lines, by identifier.
     *
     * @throws DataException naming file and line; also for NLVR 1, which has another form
     */
    public static Map<String, Nlvr2Example> read(Path file) {
        Map<String, Nlvr2Example> examples = new LinkedHashMap<>();
        JsonFiles.lines(file, JsonFiles.BrokenLines.REFUSE, line -> {
            Nlvr2Example example = of(line);
            if (examples.put(example.identifier(), example) != null) {
                throw new DataException(
                        "%s: %s is there twice; remove one".formatted(line.where(), example.identifier()));
            }
        });
        if (examples.isEmpty()) {
            throw new DataException(file + ": holds no examples");
        }
        return examples;
    }

    private static Nlvr2Example of(JsonRecord line) {
        String identifier = line.text("identifier");
        Matcher parts = IDENTIFIER.matcher(identifier);
        if (!parts.matches()) {
            throw new DataException(
                    "%s: '%s' is no identifier of NLVR2, which has the form dev-850-0-1; NLVR 1 is another benchmark"
                            .formatted(line.where(), identifier));
        }
        String pair = "%s-%s-%s".formatted(parts.group(1), parts.group(2), parts.group(3));
        return new Nlvr2Example(
                identifier,
                line.text("sentence"),
                line.text("label"),
                List.of(pair + "-img0.png", pair + "-img1.png"),
                "%s-%s-%s".formatted(parts.group(1), parts.group(2), parts.group(4)));
    }

    /** The split that the identifier names, which is also a folder of images. */
    String split() {
        return identifier.substring(0, identifier.indexOf('-'));
    }
}
