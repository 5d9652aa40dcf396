package io.llava4j.train.batch;

import io.llava4j.CheckpointException;
import io.llava4j.LlavaException;
import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.ChatResponse;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.generate.schedule.Usage;
import io.llava4j.image.RgbImage;
import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.format.Images;
import io.llava4j.train.data.format.QuestionRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A data file in any format that training reads. Each record is asked its last question; earlier turns are the conversation so
 * far, and an answer after the last question is not shown to the model but kept as {@code reference}.
 */
public final class RecordInput implements BatchInput {
    private static final Logger LOG = LoggerFactory.getLogger(RecordInput.class);

    private final LlavaData data;
    private final Images images;
    private final int[] positions;
    private final String fingerprint;
    private final Supplier<BatchModel> opener;
    private @Nullable BatchModel model;

    private RecordInput(LlavaData data, Images images, Supplier<BatchModel> opener) {
        this.data = data;
        this.images = images;
        this.opener = opener;
        this.positions = positions(data);
        this.fingerprint = fingerprint(data);
    }

    /**
     * Reads a data file.
     *
     * @param rows how rows become questions
     * @param folder of the images; null if none is given
     * @param opener loads the model
     * @throws io.llava4j.DataException if it cannot be read to its end, or no record can be used
     */
    public static RecordInput read(
            Path file, QuestionRows rows, @Nullable Path folder, boolean followSymlinks, Supplier<BatchModel> opener) {
        LlavaData data = LlavaFiles.read(file, Policy.SKIP, rows, folder);
        boolean done = false;
        try {
            RecordInput input = new RecordInput(data, data.images(folder, followSymlinks), opener);
            done = true;
            return input;
        } finally {
            if (!done) {
                data.close();
            }
        }
    }

    /** For each record of the file its position among the usable ones, or else -1 - its position among the others. */
    private static int[] positions(LlavaData data) {
        int[] positions = new int[data.records().size() + data.skipped().size()];
        for (int i = 0; i < data.records().size(); i++) {
            positions[data.indices()[i]] = i;
        }
        for (int i = 0; i < data.skipped().size(); i++) {
            positions[data.skipped().get(i).index()] = -1 - i;
        }
        return positions;
    }

    private static String fingerprint(LlavaData data) {
        Fingerprint fingerprint = new Fingerprint();
        for (LlavaRecord record : data.records()) {
            fingerprint.add(record.id()).add(record.system());
            record.images().forEach(fingerprint::add);
            record.turns().forEach(turn -> fingerprint.add(turn.role().name()).add(turn.text()));
            fingerprint.add("");
        }
        data.skipped().forEach(skipped -> fingerprint.add(skipped.id()).add(skipped.reason()));
        return fingerprint.hex();
    }

    @Override
    public String format() {
        return "records";
    }

    @Override
    public int size() {
        return positions.length;
    }

    @Override
    public String fingerprint() {
        return fingerprint;
    }

    @Override
    public String group(int index) {
        int position = positions[index];
        return position < 0
                ? ""
                : String.join("\0", data.records().get(position).images());
    }

    @Override
    public String problem(int index) {
        int position = positions[index];
        if (position < 0) {
            return data.skipped().get(-1 - position).message();
        }
        try {
            data.records().get(position).images().forEach(images::require);
            return "";
        } catch (LlavaException e) {
            return sentence(position, e);
        }
    }

    private String sentence(int position, RuntimeException e) {
        return data.skip(position, String.valueOf(e.getMessage())).message();
    }

    @Override
    public synchronized void open() {
        model = opener.get();
    }

    private synchronized BatchModel model() {
        return Objects.requireNonNull(model, "the model is opened before records are answered");
    }

    @Override
    public BatchLine answer(int index) {
        int position = positions[index];
        if (position < 0) {
            SkippedRecord skipped = data.skipped().get(-1 - position);
            return failed(index, skipped.id(), skipped.message());
        }
        LlavaRecord record = data.records().get(position);
        try {
            return answered(index, record, model());
        } catch (CancellationException | CheckpointException e) {
            throw e;
        } catch (LlavaException e) {
            return failed(index, record.id(), sentence(position, e));
        } catch (RuntimeException e) {
            LOG.warn("record {} of {} failed", index, data.file(), e);
            return failed(
                    index,
                    record.id(),
                    data.skip(position, "internal error: " + e).message());
        }
    }

    private BatchLine answered(int index, LlavaRecord record, BatchModel model) {
        List<Turn> turns = new ArrayList<>(record.turns());
        String reference =
                turns.getLast().role() == Role.ASSISTANT ? turns.removeLast().text() : null;
        List<Supplier<RgbImage>> decoders = new ArrayList<>();
        for (String image : record.images()) {
            decoders.add(() -> images.decode(image, model.orientation()));
        }
        LlavaPipeline pipeline = model.pipeline();
        AnswerOptions options = model.options();
        GenerationOptions decoding = options.decoding();
        try (RunningAnswer answer = pipeline.start(
                pipeline.prompt(record.system(), turns, decoders),
                new AnswerOptions(
                        decoding.withSeed(decoding.seed() + index), options.constraint(), options.topLogprobs()))) {
            while (answer.next() != null) {}
            ChatResponse response = answer.response();
            if (response.finish() == FinishReason.CANCELLED) {
                throw new CancellationException("the answer was cancelled");
            }
            Usage usage = response.usage();
            ObjectNode line = line(index, record.id())
                    .put("prompt", turns.getLast().text())
                    .put("answer", response.text())
                    .put("finish_reason", response.finish().label())
                    .put("prompt_tokens", usage.promptTokens())
                    .put("image_tokens", usage.imageTokens())
                    .put("answer_tokens", usage.answerTokens());
            if (reference != null) {
                line.put("reference", reference);
            }
            return BatchLine.answered(line, response.finish(), usage);
        }
    }

    private static BatchLine failed(int index, String id, String sentence) {
        ObjectNode line = line(index, id);
        line.putObject("error").put("message", sentence);
        return BatchLine.failed(line, sentence);
    }

    private static ObjectNode line(int index, String id) {
        ObjectNode line = JsonNodeFactory.instance.objectNode().put("index", index);
        return id.isEmpty() ? line.putNull("id") : line.put("id", id);
    }

    @Override
    public synchronized void close() {
        if (model != null) {
            model.close();
        }
        images.close();
        data.close();
    }
}
