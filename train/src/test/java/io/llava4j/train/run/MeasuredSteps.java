package io.llava4j.train.run;

import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.text.Prompt;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Batch;
import io.llava4j.train.data.Example;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Bytes that a run takes of the C library's allocator.
 *
 * @param loading most until the first step
 * @param steps median over steps of the most that each takes, the first one aside
 */
record MeasuredSteps(long loading, long steps) {
    /** Builds the objective of a recipe and trains some steps. */
    static MeasuredSteps of(TrainConfig config, ExampleSource source, int steps, ProcessGroup group) {
        long before = NativeMemory.onceSteady();
        List<Long> peaks = new ArrayList<>();
        long loading;
        try (NativeMemory memory = new NativeMemory();
                Objective objective = Objectives.create(config, group, source)) {
            loading = memory.takePeak();
            TrainingListener listener = step -> peaks.add(memory.takePeak());
            new Trainer(config, objective, Checkpoints.NONE, listener, () -> false).run(false);
        }
        List<Long> sorted = peaks.subList(1, steps).stream().sorted().toList();
        return new MeasuredSteps(loading - before, sorted.get(sorted.size() / 2) - before);
    }

    /** Sequences of an image and of text, the second half of which is supervised. */
    static ExampleSource source(int sequences, int tokens, LlavaConfig model) {
        int text = tokens - model.tokensPerImage();
        int[] ids = new int[text + 1];
        int[] labels = new int[text + 1];
        Arrays.fill(labels, Prompt.IGNORE_INDEX);
        ids[0] = Prompt.IMAGE_TOKEN_INDEX;
        for (int i = 1; i <= text; i++) {
            ids[i] = 5 + i % 200;
            labels[i] = i > text - tokens / 2 ? ids[i] : Prompt.IGNORE_INDEX;
        }
        int edge = model.vision().imageSize();
        Example example = Example.of(
                new LlavaRecord("r", List.of("i.png"), List.of(Turn.human("<image>"), Turn.assistant("x"))),
                new Prompt(ids, labels, 0),
                List.of(PreparedImage.of(new float[3 * edge * edge])));
        return new ExampleSource() {
            @Override
            public int size() {
                return 100;
            }

            @Override
            public Batch batch(int step, int micro) {
                return new Batch(Collections.nCopies(sequences, example), 0);
            }
        };
    }
}
