package io.llava4j.app.quantize;

import io.llava4j.DataException;
import io.llava4j.image.RgbImage;
import io.llava4j.io.FileErrors;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.format.Images;
import io.llava4j.train.data.format.QuestionRows;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Prompts that a model reads to be calibrated: the lines of a text file, each a question, or whole conversations of a data
 * set.
 *
 * @param all the prompts
 * @param data whose images they show; null for a text file
 */
record CalibrationPrompts(List<One> all, @Nullable LlavaData data) implements AutoCloseable {
    /**
     * A prompt.
     *
     * @param where it comes from, for messages
     * @param ids with placeholders of images
     * @param images decodes them, in the order of the placeholders
     */
    record One(String where, int[] ids, List<Supplier<RgbImage>> images) {}

    /**
     * Reads prompts.
     *
     * @param file a {@code .txt} file, or a data set in any format that training reads
     * @param images folder of the data set's images; null if it contains them or has none
     * @throws DataException naming file and line or record, also if there is none
     */
    static CalibrationPrompts read(Path file, @Nullable Path images, PromptBuilder builder) {
        if (!file.toString().toLowerCase(Locale.ROOT).endsWith(".txt")) {
            return records(file, images, builder);
        }
        if (images != null) {
            throw new DataException("%s is a text file, whose lines have no images; remove --images".formatted(file));
        }
        return new CalibrationPrompts(lines(file, builder), null);
    }

    private static List<One> lines(Path file, PromptBuilder builder) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (CharacterCodingException e) {
            throw new DataException("%s is no UTF-8 text; save it as such".formatted(file), e);
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
        List<One> prompts = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String question = lines.get(i).strip();
            String where = "%s, line %d".formatted(file, i + 1);
            if (question.contains(Turn.IMAGE_PLACEHOLDER)) {
                throw new DataException(
                        "%s: a line of a text file has no image; remove %s, or give records with images (.json)"
                                .formatted(where, Turn.IMAGE_PLACEHOLDER));
            }
            if (!question.isEmpty()) {
                int[] ids = builder.inference(List.of(Turn.human(question))).ids();
                prompts.add(new One(where, ids, List.of()));
            }
        }
        if (prompts.isEmpty()) {
            throw new DataException("%s has no prompts; write one on each line".formatted(file));
        }
        return prompts;
    }

    private static CalibrationPrompts records(Path file, @Nullable Path folder, PromptBuilder builder) {
        LlavaData data = LlavaFiles.read(file, Policy.FAIL, QuestionRows.STANDARD, folder);
        List<One> prompts = new ArrayList<>();
        Images images = data.images(folder, false);
        for (int i = 0; i < data.records().size(); i++) {
            LlavaRecord record = data.records().get(i);
            Prompt prompt = builder.training(
                    record.system(), record.turns(), record.images().size(), Integer.MAX_VALUE);
            List<Supplier<RgbImage>> shown = new ArrayList<>();
            record.images().forEach(image -> shown.add(() -> images.decode(image)));
            prompts.add(new One("%s, record %d".formatted(file, data.indices()[i]), prompt.ids(), shown));
        }
        return new CalibrationPrompts(prompts, data);
    }

    @Override
    public void close() {
        if (data != null) {
            data.close();
        }
    }
}
