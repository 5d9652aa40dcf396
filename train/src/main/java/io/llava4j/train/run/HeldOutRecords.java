package io.llava4j.train.run;

import io.llava4j.DataException;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.tensor.Engine;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Batch;
import io.llava4j.train.data.Example;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.run.input.RunInputs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Held-out records in LLaVA's format. The loss is that of training, without the adapters' dropout. */
public final class HeldOutRecords implements HeldOut {
    private final Config config;
    private final LlavaModel model;
    private final TrainingData data;
    private final @Nullable TaskScores tasks;
    private final LlavaPipeline pipeline;

    /**
     * @param config section of the recipe
     * @param model whose parameters are trained; closed by its owner
     * @param data the records in the order of their file; closed with this object
     * @param tasks scores of the recipe's benchmarks; null if it names none
     * @param tokenizer of the model
     * @param template of the prompts
     */
    public HeldOutRecords(
            Config config,
            LlavaModel model,
            TrainingData data,
            @Nullable TaskScores tasks,
            SentencePieceTokenizer tokenizer,
            ConversationTemplate template) {
        this.config = config;
        this.model = model;
        this.data = data;
        this.tasks = tasks;
        this.pipeline = new LlavaPipeline(model, tokenizer, new LlavaPipeline.Settings(template, true));
    }

    @Override
    public Config config() {
        return config;
    }

    @Override
    public Loss loss(int maxBatches) {
        double sum = 0;
        long supervised = 0;
        int records = 0;
        for (int i = 0; i < Math.min(maxBatches, data.batches()); i++) {
            Batch batch = data.batch(i, 0);
            if (batch == null || batch.examples().isEmpty()) {
                continue;
            }
            Loss part = Engine.inference("the held-out loss", () -> loss(batch.examples()));
            sum += part.value() * part.supervised();
            supervised += part.supervised();
            records += part.records();
        }
        if (supervised == 0) {
            throw new DataException("no record of evaluation.data %s can be used; repair it".formatted(config.data()));
        }
        return new Loss(sum / supervised, supervised, records);
    }

    private Loss loss(List<Example> examples) {
        LlavaModel.Output output = model.forward(ModelInput.of(
                examples.stream().map(example -> example.prompt().ids()).toList(),
                examples.stream().map(example -> example.prompt().labels()).toList(),
                examples.stream().flatMap(example -> example.pixels().stream()).toList()));
        int[][] labels = output.sequences().labels();
        return new Loss(
                SequenceLoss.inChunks(model.llama(), output.hidden(), labels)
                        .mean()
                        .item_double(),
                SequenceLoss.supervised(labels),
                examples.size());
    }

    @Override
    public Map<String, Double> scores() {
        return tasks == null ? Map.of() : tasks.of(pipeline);
    }

    @Override
    public List<Answer> answers() {
        List<LlavaRecord> records = data.first(config.samples());
        if (records.isEmpty()) {
            return List.of();
        }
        List<List<String>> images = new ArrayList<>();
        List<ChatRequest> requests = new ArrayList<>();
        for (LlavaRecord record : records) {
            Turn question = record.turns().getFirst();
            List<String> own = record.images().subList(0, placeholders(question));
            images.add(own);
            requests.add(new ChatRequest(
                    List.of(question), own.stream().map(data::decode).toList()));
        }
        List<String> answers = pipeline.answer(requests, GenerationOptions.greedy(config.maxNewTokens()));
        List<Answer> all = new ArrayList<>();
        for (int i = 0; i < records.size(); i++) {
            LlavaRecord record = records.get(i);
            all.add(new Answer(
                    record.id(),
                    images.get(i),
                    record.turns().getFirst().text(),
                    record.turns().get(1).text(),
                    answers.get(i)));
        }
        return all;
    }

    private static int placeholders(Turn turn) {
        return turn.text().split(Turn.IMAGE_PLACEHOLDER, -1).length - 1;
    }

    @Override
    public List<String> notes() {
        List<String> notes = new ArrayList<>();
        data.notes().forEach(note -> notes.add("evaluation.data: " + note));
        if (tasks != null) {
            notes.addAll(tasks.notes());
        }
        return notes;
    }

    @Override
    public RunInputs inputs() {
        return tasks == null ? data.inputs() : data.inputs().and(tasks.inputs());
    }

    @Override
    public void close() {
        data.close();
    }
}
