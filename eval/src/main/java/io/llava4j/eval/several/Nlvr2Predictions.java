package io.llava4j.eval.several;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.PythonText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What was predicted.
 *
 * @param byIdentifier of several predictions the last
 * @param identifiers in file order
 */
public record Nlvr2Predictions(Map<String, String> byIdentifier, List<String> identifiers) {
    /**
     * Reads LLaVA's answers, of which white space and periods at the end are removed, or the official CSV of
     * {@code identifier,prediction} without a header, which is taken as it is.
     *
     * @throws DataException naming file and line
     */
    public static Nlvr2Predictions read(Path file) {
        Nlvr2Predictions predictions = new Nlvr2Predictions(new HashMap<>(), new ArrayList<>());
        if (JsonFiles.firstCharacter(file) == '{') {
            for (Answer answer : AnswerFile.readSome(file)) {
                predictions.add(answer.id().value(), prediction(answer.text()));
            }
        } else {
            predictions.readCsv(file);
        }
        if (predictions.identifiers().isEmpty()) {
            throw new DataException(file + ": holds no answers");
        }
        return predictions;
    }

    static String prediction(String answer) {
        return PythonText.strip(PythonText.stripTrailing(PythonText.strip(answer), '.'));
    }

    private void readCsv(Path file) {
        try {
            List<String> lines = Files.readAllLines(file);
            for (int i = 0; i < lines.size(); i++) {
                String line = PythonText.strip(lines.get(i));
                int comma = line.indexOf(',');
                if (comma < 0 && !line.isEmpty()) {
                    throw new DataException("%s line %d: expected identifier,prediction, as in dev-850-0-1,True"
                            .formatted(file, i + 1));
                }
                if (!line.isEmpty()) {
                    add(line.substring(0, comma), line.substring(comma + 1));
                }
            }
        } catch (IOException e) {
            throw new DataException("%s: cannot be read (%s)".formatted(file, e.getMessage()), e);
        }
    }

    private void add(String identifier, String prediction) {
        byIdentifier.put(identifier, prediction);
        identifiers.add(identifier);
    }
}
