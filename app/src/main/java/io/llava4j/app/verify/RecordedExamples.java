package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.text.Prompt;
import io.llava4j.train.data.Batch;
import io.llava4j.train.data.Example;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.run.ExampleSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Recorded micro-batches {@code step0, step1, …} in the form the trainer takes. */
final class RecordedExamples implements ExampleSource {
    private final SafeTensors file;
    private final int accumulation;

    /**
     * Examples of an open file.
     *
     * @param file of micro-batches; stays open
     * @param accumulation micro-batches of one optimiser step
     */
    RecordedExamples(SafeTensors file, int accumulation) {
        this.file = file;
        this.accumulation = accumulation;
    }

    /** Samples of the first micro-batch. */
    int perBatch() {
        TensorEntry ids = file.tensor("step0.input_ids");
        return Math.toIntExact(ids.shape()[0]);
    }

    /** Longest sequence the reference kept; larger than any where it did not truncate. */
    int maxLength() {
        String limit = file.metadata().getOrDefault("tokenizer_model_max_length", "none");
        return limit.matches("[1-9][0-9]{0,8}") ? Integer.parseInt(limit) : Integer.MAX_VALUE;
    }

    @Override
    public int size() {
        return perBatch()
                * Math.toIntExact(file.tensors().keySet().stream()
                        .filter(name -> name.endsWith(".input_ids"))
                        .count());
    }

    @Override
    public Batch batch(int step, int micro) {
        int index = step * accumulation + micro;
        RecordedBatch batch = RecordedBatch.read(file.tensors(), "step" + index + ".");
        List<int[]> labels = batch.labels();
        if (labels == null) {
            throw new DataException("micro-batch step%d has no labels".formatted(index));
        }
        List<Example> examples = new ArrayList<>();
        int image = 0;
        for (int row = 0; row < labels.size(); row++) {
            Prompt prompt = new Prompt(batch.ids().get(row), labels.get(row));
            List<PreparedImage> images = batch.images().subList(image, image + prompt.imageCount()).stream()
                    .map(batch.pixels()::get)
                    .toList();
            image += prompt.imageCount();
            String id = "step%d row %d".formatted(index, row);
            examples.add(
                    Example.of(new LlavaRecord(id, Collections.nCopies(images.size(), id), List.of()), prompt, images));
        }
        return new Batch(examples, (index + 1) * perBatch());
    }
}
