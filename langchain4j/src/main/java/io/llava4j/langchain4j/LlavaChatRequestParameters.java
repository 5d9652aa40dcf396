package io.llava4j.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** LangChain4j's parameters of a request, and those that only models in this JVM have. */
public final class LlavaChatRequestParameters extends DefaultChatRequestParameters {
    private final @Nullable Long seed;
    private final @Nullable Double repetitionPenalty;

    private LlavaChatRequestParameters(Builder builder) {
        super(builder);
        this.seed = builder.seed;
        this.repetitionPenalty = builder.repetitionPenalty;
    }

    /** Seed of the sampler; the same one gives the same answer. Null to draw it. */
    public @Nullable Long seed() {
        return seed;
    }

    /** Above 1, tokens that occurred already become less likely. Null for none. */
    public @Nullable Double repetitionPenalty() {
        return repetitionPenalty;
    }

    @Override
    public LlavaChatRequestParameters overrideWith(ChatRequestParameters that) {
        return builder().overrideWith(this).overrideWith(that).build();
    }

    @Override
    public LlavaChatRequestParameters defaultedBy(ChatRequestParameters that) {
        return builder().overrideWith(that).overrideWith(this).build();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof LlavaChatRequestParameters that
                && super.equals(other)
                && Objects.equals(seed, that.seed)
                && Objects.equals(repetitionPenalty, that.repetitionPenalty);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), seed, repetitionPenalty);
    }

    @Override
    public String toString() {
        return "%s{%s, seed=%s, repetitionPenalty=%s}"
                .formatted(getClass().getSimpleName(), super.toString(), seed, repetitionPenalty);
    }

    /** New parameters. */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects parameters. */
    public static final class Builder extends DefaultChatRequestParameters.Builder<Builder> {
        private @Nullable Long seed;
        private @Nullable Double repetitionPenalty;

        private Builder() {}

        /**
         * Takes over what others set.
         *
         * @throws UnsupportedFeatureException if they are another provider's, whose own settings would be lost
         */
        @Override
        public Builder overrideWith(ChatRequestParameters parameters) {
            super.overrideWith(parameters);
            if (parameters instanceof LlavaChatRequestParameters own) {
                seed = own.seed == null ? seed : own.seed;
                repetitionPenalty = own.repetitionPenalty == null ? repetitionPenalty : own.repetitionPenalty;
            } else if (parameters.getClass() != DefaultChatRequestParameters.class) {
                throw new UnsupportedFeatureException(
                        "parameters of the class %s are not supported by this model; use %s"
                                .formatted(
                                        parameters.getClass().getSimpleName(),
                                        LlavaChatRequestParameters.class.getSimpleName()));
            }
            return this;
        }

        /** Seed of the sampler. */
        public Builder seed(@Nullable Long value) {
            seed = value;
            return this;
        }

        /** Above 1, tokens that occurred already become less likely. */
        public Builder repetitionPenalty(@Nullable Double value) {
            repetitionPenalty = value;
            return this;
        }

        @Override
        public LlavaChatRequestParameters build() {
            return new LlavaChatRequestParameters(this);
        }
    }
}
