package io.llava4j.train.run;

import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.ProjectorType;
import java.util.Arrays;

/**
 * Floating-point operations of training: 2 for each parameter and token in the forward pass, 2 for the gradients of the
 * activations, 2 for those of trainable parameters; attention grows with the square of the length.
 *
 * @param perToken of the blocks of the language model
 * @param perSquare of attention for the square of a sequence's length
 * @param perSupervised of the LM head for a supervised token
 * @param towerPerView of the vision tower for one view of an image; an image that is not tiled has one
 * @param projectorPerView of the projector for one view
 */
public record Operations(
        double perToken, double perSquare, double perSupervised, double towerPerView, double projectorPerView) {
    /**
     * Of a model.
     *
     * @param trainsLanguageModel whether its weights have gradients
     * @param recomputes whether the blocks' forward pass runs twice
     */
    public static Operations of(LlavaConfig model, boolean trainsLanguageModel, boolean recomputes) {
        double languageModel = 0;
        double tower = 0;
        double projector = 0;
        for (var shape : ExpectedTensors.of(new ModelKind.Llava(model)).shapes().entrySet()) {
            double size = Arrays.stream(shape.getValue()).asDoubleStream().reduce(1, (a, b) -> a * b);
            String name = shape.getKey();
            if (name.contains("projector")) {
                projector += size;
            } else if (name.contains("vision")) {
                tower += size;
            } else if (!name.contains("embed_tokens") && !name.contains("lm_head")) {
                languageModel += size;
            }
        }
        // A TokenPacker's keys and values are made of every patch.
        boolean packs = ProjectorType.parse(model.projectorType()).reduction() == ProjectorType.Reduction.TOKEN_PACKER;
        double passes = 2 + (trainsLanguageModel ? 4 : 2) + (recomputes ? 2 : 0);
        return new Operations(
                passes * languageModel,
                passes * model.text().hiddenSize() * model.text().layers(),
                6.0 * model.text().vocabSize() * model.text().hiddenSize(),
                model.featuresPerView() * 2 * tower,
                6 * (packs ? products(model) : model.tokensPerView() * projector));
    }

    private static double products(LlavaConfig model) {
        return ProjectorType.parse(model.projectorType())
                .products(model.vision().hiddenSize(), model.text().hiddenSize(), model.featuresPerView());
    }

    /** Of vision tower and projector for one view of an image. */
    public double perView() {
        return towerPerView + projectorPerView;
    }

    /** Of one sequence. */
    public double ofSequence(double tokens, double supervised) {
        return perToken * tokens + perSquare * tokens * tokens + perSupervised * supervised;
    }

    /** Of sequences of those lengths, with so many supervised tokens in all. */
    public double of(int[] lengths, long supervised) {
        double sum = perSupervised * supervised;
        for (int length : lengths) {
            sum += ofSequence(length, 0);
        }
        return sum;
    }
}
