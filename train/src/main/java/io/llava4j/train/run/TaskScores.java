package io.llava4j.train.run;

import io.llava4j.generate.ChatModel;
import io.llava4j.train.run.input.RunInputs;
import java.util.List;
import java.util.Map;

/** Benchmarks that a model is scored on while it trains. Training knows no benchmark; who runs a recipe brings them. */
public interface TaskScores {
    /**
     * Asks a model all questions and scores its answers.
     *
     * @return the published number of each benchmark by its name, in the order of the recipe; more is better
     */
    Map<String, Double> of(ChatModel model);

    /** Sentences for the user before the first step. */
    List<String> notes();

    /** Fingerprints of the benchmarks' files. */
    RunInputs inputs();
}
