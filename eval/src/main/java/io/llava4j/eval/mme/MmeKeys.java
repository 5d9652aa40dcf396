package io.llava4j.eval.mme;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.score.BenchmarkFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * MME's questions and answers: {@code <category>/<image>.txt} beside the images, or
 * {@code <category>/questions_answers_YN/<image>.txt} beside {@code <category>/images}.
 *
 * @param answers {@code Yes} or {@code No} by question, in the order of the files
 */
public record MmeKeys(Map<Asked, String> answers) {
    /** What is asked about which image; the file is the image's name with {@code .txt}. */
    record Asked(String category, String file, String question) {}

    /** Perception in the official order; its sum is the published number. */
    public static final List<String> PERCEPTION = List.of(
            "existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR");

    /** Cognition in the official order. */
    public static final List<String> COGNITION =
            List.of("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning");

    /** Both. */
    static List<String> categories() {
        List<String> all = new ArrayList<>(PERCEPTION);
        all.addAll(COGNITION);
        return all;
    }

    public static MmeKeys read(Path folder) {
        Map<Asked, String> answers = new LinkedHashMap<>();
        for (Path category : BenchmarkFiles.matches(folder, "*")) {
            if (Files.isDirectory(category)) {
                String name = category.getFileName().toString();
                for (Path file : BenchmarkFiles.matches(keys(category), "*.txt")) {
                    for (String line : lines(file)) {
                        String[] fields = PythonText.strip(line).split("\t", -1);
                        if (fields.length == 2) {
                            answers.put(new Asked(name, file.getFileName().toString(), fields[0]), fields[1]);
                        } else if (!PythonText.strip(line).isEmpty()) {
                            throw new DataException(
                                    "%s: '%s' is not a question, a tab and an answer".formatted(file, line));
                        }
                    }
                }
            }
        }
        if (answers.isEmpty()) {
            throw new DataException(folder + ": holds no questions of MME; is it MME_Benchmark_release_version?");
        }
        return new MmeKeys(answers);
    }

    /** Path of an image below the release folder, or null where there is none. */
    static @Nullable String image(Path folder, Asked asked) {
        Path category = folder.resolve(asked.category());
        String stem = asked.file().substring(0, asked.file().length() - ".txt".length());
        boolean apart = Files.isDirectory(category.resolve("images"));
        for (String extension : List.of(".jpg", ".png")) {
            Path file = (apart ? category.resolve("images") : category).resolve(stem + extension);
            if (Files.exists(file)) {
                return folder.relativize(file).toString();
            }
        }
        return null;
    }

    private static Path keys(Path category) {
        return Files.isDirectory(category.resolve("images")) ? category.resolve("questions_answers_YN") : category;
    }

    /** Lines end at LF, CRLF or CR. */
    static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new DataException("%s: cannot be read (%s)".formatted(file, e.getMessage()), e);
        }
    }
}
