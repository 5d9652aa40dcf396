package io.llava4j.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ToolChoice;
import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.GenerationOptions;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** From the parameters of a request to the decoding of its answer; what cannot be honoured is refused by name. */
final class Decoding {
    /** Longest answer in tokens where a request names none, as in the command and the server. */
    private static final int MAX_OUTPUT_TOKENS = 512;

    private Decoding() {}

    static AnswerOptions options(ChatRequestParameters parameters, String modelName) {
        if (parameters.modelName() != null && !parameters.modelName().equals(modelName)) {
            throw unsupported("modelName '%s'".formatted(parameters.modelName()), "this model is '" + modelName + "'");
        }
        refuseUnlessZero("frequencyPenalty", parameters.frequencyPenalty());
        refuseUnlessZero("presencePenalty", parameters.presencePenalty());
        if (parameters.toolChoice() == ToolChoice.REQUIRED) {
            throw unsupported("toolChoice ToolChoice.REQUIRED", "the model cannot call tools");
        }
        if (!parameters.toolSpecifications().isEmpty()) {
            throw unsupported("toolSpecifications", "the model cannot call tools");
        }
        LlavaChatRequestParameters own =
                LlavaChatRequestParameters.builder().overrideWith(parameters).build();
        try {
            GenerationOptions decoding = new GenerationOptions(
                    Objects.requireNonNullElse(parameters.maxOutputTokens(), MAX_OUTPUT_TOKENS),
                    Objects.requireNonNullElse(parameters.temperature(), 0.0),
                    Objects.requireNonNullElse(parameters.topP(), 1.0),
                    Objects.requireNonNullElse(parameters.topK(), 0),
                    Objects.requireNonNullElse(own.repetitionPenalty(), 1.0),
                    own.seed() == null ? ThreadLocalRandom.current().nextLong() : own.seed(),
                    parameters.stopSequences());
            return new AnswerOptions(decoding, ResponseFormats.constraint(parameters.responseFormat()), -1);
        } catch (RuntimeException e) {
            throw Failures.of(e);
        }
    }

    private static void refuseUnlessZero(String name, @Nullable Double value) {
        if (value != null && value != 0) {
            throw unsupported(name, "use repetitionPenalty of LlavaChatRequestParameters");
        }
    }

    private static UnsupportedFeatureException unsupported(String parameter, String hint) {
        return new UnsupportedFeatureException("the parameter %s is not supported: %s".formatted(parameter, hint));
    }
}
