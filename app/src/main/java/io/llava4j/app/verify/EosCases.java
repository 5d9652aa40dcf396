package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.Weights;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Greedy decoding that ends at an id: {@code eos_stop.json}. */
final class EosCases {
    private EosCases() {}

    /**
     * Compares every entry with the model's output.
     *
     * @param label of the model, begins the name of every case
     * @param json entries with {@code eos_token_id}, {@code greedy_ids_without_stop}, {@code new_tokens_with_stop}
     * @param cases files with the inputs; an entry's own is found by the ids without stop
     */
    static void run(
            String label, Path json, List<Path> cases, LlavaConfig config, Weights weights, Consumer<CaseResult> out) {
        JsonNode root;
        try {
            root = JsonMapper.builder().build().readTree(json);
        } catch (JacksonException e) {
            throw new DataException("%s is not JSON: %s".formatted(json, e.getOriginalMessage()), e);
        }
        int padId = root.path("pad_token_id").asInt(0);
        for (Map.Entry<String, JsonNode> entry : root.properties()) {
            JsonNode value = entry.getValue();
            if (!value.has("eos_token_id")) {
                continue;
            }
            String name = label + " " + entry.getKey();
            int[][] without = sequences(value.path("greedy_ids_without_stop"));
            boolean found = false;
            for (Path file : cases) {
                try (SafeTensors tensors = SafeTensors.open(file)) {
                    if (!found && hasGreedyIds(tensors.tensors().get("greedy_ids"), without)) {
                        found = true;
                        LlavaModel model = new LlavaModel(ModelCase.configOf(tensors, config), weights);
                        RecordedBatch batch = RecordedBatch.read(tensors, config);
                        compare(new GreedyCase(name, model, batch, out), value, without[0].length, padId);
                        model.languageModel().close();
                    }
                }
            }
            if (!found) {
                out.accept(CaseResult.skipped(TinyLlavaSuite.NAME, name, "no recorded case has its greedy ids"));
            }
        }
    }

    private static void compare(GreedyCase greedy, JsonNode value, int steps, int padId) {
        int[][] wanted = sequences(value.path("new_tokens_with_stop"));
        greedy.compareStopped(steps, value.path("eos_token_id").asInt(), padId, wanted);
    }

    private static boolean hasGreedyIds(@Nullable TensorEntry recorded, int[][] ids) {
        return recorded != null
                && Arrays.equals(
                        recorded.toLongs(),
                        Arrays.stream(ids)
                                .flatMapToInt(Arrays::stream)
                                .asLongStream()
                                .toArray());
    }

    /** A list of sequences, or a single one. */
    private static int[][] sequences(JsonNode ids) {
        return ids.path(0).isArray()
                ? ids.valueStream().map(ReferenceJson::ints).toArray(int[][]::new)
                : new int[][] {ReferenceJson.ints(ids)};
    }
}
