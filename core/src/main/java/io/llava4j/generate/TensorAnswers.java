package io.llava4j.generate;

import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.model.LlavaModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/** Answers of the tensor engine, which decodes a batch in step. Thread-safe: batches take turns. */
final class TensorAnswers {
    private final LlavaModel model;
    private final Generator generator;

    TensorAnswers(LlavaModel model, boolean sharesPrefixes) {
        this.model = model;
        this.generator = new Generator(model, sharesPrefixes);
    }

    /**
     * Answers a batch.
     *
     * @param texts one for each prompt, still empty
     */
    List<ChatModel.Answer> answer(
            List<ImagePrompt> prompts, List<AnswerText> texts, GenerationOptions options, Set<Integer> stopIds) {
        List<FinishReason> reasons = new ArrayList<>(Collections.nCopies(prompts.size(), FinishReason.CONTEXT));
        int[] tokens = new int[prompts.size()];
        synchronized (model) {
            generator.generate(
                    prompts.stream().map(ImagePrompt::ids).toList(),
                    prompts.stream().flatMap(prompt -> prompt.images().stream()).toList(),
                    options,
                    stopIds,
                    (sequence, id) -> {
                        AnswerText text = texts.get(sequence);
                        text.accept(id);
                        boolean stopped = text.isStopped() || stopIds.contains(id);
                        if (stopped || ++tokens[sequence] == options.maxNewTokens()) {
                            reasons.set(sequence, stopped ? FinishReason.STOP : FinishReason.MAX_NEW_TOKENS);
                        }
                        return !text.isStopped();
                    });
        }
        List<ChatModel.Answer> answers = new ArrayList<>();
        for (AnswerText text : texts) {
            text.finish();
            answers.add(new ChatModel.Answer(text.toString(), reasons.get(answers.size())));
        }
        return answers;
    }
}
