package io.llava4j.train.run;

import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** The numbers of a step or an evaluation under the names that TensorBoard shows. */
final class Scalars {
    static final String LOSS_BY_SOURCE = "loss_by_source";
    static final String TOKENS_PER_SECOND = "tokens_per_second";

    /** 10^12 floating-point operations a second of each process. */
    static final String TERAFLOPS = "tflops";

    /** Their share of the peak. */
    static final String MFU = "mfu";

    private Scalars() {}

    /** The numbers of a JSON object by their names. */
    static Map<String, Double> byName(JsonNode numbers) {
        Map<String, Double> all = new LinkedHashMap<>();
        numbers.forEachEntry((name, number) -> all.put(name, number.asDouble(Double.NaN)));
        return all;
    }

    /** Of a training step, given its line of the metrics; a speed that is not known is left out. */
    static Map<String, Double> ofStep(JsonNode line) {
        Map<String, Double> scalars = new LinkedHashMap<>();
        scalars.put("train/loss", line.path("loss").asDouble(Double.NaN));
        scalars.put("train/learning_rate", line.path("learning_rate").asDouble());
        scalars.put("train/grad_norm", line.path("grad_norm").asDouble());
        for (String speed : new String[] {TOKENS_PER_SECOND, TERAFLOPS, MFU}) {
            if (line.has(speed)) {
                scalars.put("train/" + speed, line.path(speed).asDouble());
            }
        }
        byName(line.path(LOSS_BY_SOURCE))
                .forEach((source, mean) -> scalars.put("train/" + LOSS_BY_SOURCE + "/" + source, mean));
        return scalars;
    }

    /** Of a held-out evaluation. */
    static Map<String, Double> ofEvaluation(double heldOutLoss, Map<String, Double> scores) {
        Map<String, Double> scalars = new LinkedHashMap<>();
        scalars.put("evaluation/loss", heldOutLoss);
        scores.forEach((task, score) -> scalars.put("evaluation/" + task, score));
        return scalars;
    }
}
