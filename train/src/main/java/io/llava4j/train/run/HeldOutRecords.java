package io.llava4j.train.run;

import io.llava4j.DataException;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.model.PassListener;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Batch;
import io.llava4j.train.data.Example;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.run.input.RunInputs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Held-out records in LLaVA's format. The loss is that of training, without the adapters' dropout. */
public final class HeldOutRecords implements HeldOut {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Config config;
    private final LlavaModel model;
    private final TrainingData data;
    private final TrainableParameters parameters;
    private final ProcessGroup group;
    private final @Nullable TaskScores tasks;
    private final LlavaPipeline pipeline;

    /**
     * @param config section of the recipe
     * @param model whose parameters are trained; closed by its owner
     * @param data the records in the order of their file; closed with this object
     * @param parameters of the model; their processes share the work
     * @param tasks scores of the recipe's benchmarks; null if it names none
     * @param tokenizer of the model
     * @param template of the prompts
     */
    public HeldOutRecords(
            Config config,
            LlavaModel model,
            TrainingData data,
            TrainableParameters parameters,
            @Nullable TaskScores tasks,
            SentencePieceTokenizer tokenizer,
            ConversationTemplate template) {
        this.config = config;
        this.model = model;
        this.data = data;
        this.parameters = parameters;
        this.group = parameters.group();
        this.tasks = tasks;
        this.pipeline = new LlavaPipeline(model, tokenizer, new LlavaPipeline.Settings(template, true));
    }

    @Override
    public Config config() {
        return config;
    }

    @Override
    public Loss loss(int maxBatches) {
        List<Loss> own = new ArrayList<>();
        int batches = Math.min(maxBatches, data.batches());
        for (int first = 0; first < batches; first += group.size()) {
            int mine = first + group.rank().rank();
            Batch batch = mine < batches ? data.batch(mine, 0) : null;
            own.add(Engine.inference(
                    "the held-out loss",
                    () -> batch == null || batch.examples().isEmpty() ? noLoss() : loss(batch.examples())));
        }
        double sum = 0;
        long supervised = 0;
        int records = 0;
        for (Loss part : inOrder(own)) {
            sum += part.value() * part.supervised();
            supervised += part.supervised();
            records += part.records();
        }
        if (supervised == 0) {
            throw new DataException("no record of evaluation.data %s can be used; repair it".formatted(config.data()));
        }
        return new Loss(sum / supervised, supervised, records);
    }

    /** Losses of all processes' batches, in the order of the batches. */
    private List<Loss> inOrder(List<Loss> own) {
        if (group.size() == 1) {
            return own;
        }
        List<Loss[]> all = group.allGather(JSON.writeValueAsString(own)).stream()
                .map(text -> JSON.readValue(text, Loss[].class))
                .toList();
        List<Loss> ordered = new ArrayList<>();
        for (int i = 0; i < own.size(); i++) {
            for (Loss[] each : all) {
                ordered.add(each[i]);
            }
        }
        return ordered;
    }

    private Loss loss(List<Example> examples) {
        PassListener listener = parameters.evaluationListener();
        LlavaModel.Output output = model.forward(
                ModelInput.of(
                        examples.stream().map(example -> example.prompt().ids()).toList(),
                        examples.stream()
                                .map(example -> example.prompt().labels())
                                .toList(),
                        examples.stream()
                                .flatMap(example -> example.prepared().stream())
                                .toList()),
                listener);
        int[][] labels = output.sequences().labels();
        listener.before(head());
        double loss = SequenceLoss.inChunks(model.llama(), output.hidden(), labels)
                .mean()
                .item_double();
        listener.afterForward(head());
        return new Loss(loss, SequenceLoss.supervised(labels), examples.size());
    }

    /** Of a process without samples, which takes part in what the others exchange. */
    private Loss noLoss() {
        PassListener listener = parameters.evaluationListener();
        for (int part = PassListener.INPUTS; part <= head(); part++) {
            listener.before(part);
            listener.afterForward(part);
        }
        return new Loss(0, 0, 0);
    }

    private int head() {
        return model.config().text().layers();
    }

    @Override
    public Map<String, Double> scores() {
        if (tasks == null) {
            return Map.of();
        }
        String scores = onFirst(() -> JSON.writeValueAsString(tasks.of(pipeline)));
        return JSON.readValue(scores, new TypeReference<LinkedHashMap<String, Double>>() {});
    }

    @Override
    public List<Answer> answers() {
        if (config.samples() == 0) {
            return List.of();
        }
        return List.of(JSON.readValue(onFirst(() -> JSON.writeValueAsString(answersHere())), Answer[].class));
    }

    /** Answering reads all weights again for every token, so rank 0 holds them meanwhile. */
    private String onFirst(Supplier<String> work) {
        return parameters.withWeights(() -> group.onFirst(work));
    }

    private List<Answer> answersHere() {
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
