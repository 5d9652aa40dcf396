package io.llava4j.app.cli;

import io.llava4j.eval.run.EvalRunner;
import io.llava4j.eval.run.MissingImagePolicy;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.ImageDecoder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options that both modes of {@code llava eval} share: which model, and how it is asked. */
final class EvalOptions {
    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "Questions per batch; changes the speed, not the answers (default: ${DEFAULT-VALUE}).")
    private int batchSize = 32;

    @Option(names = "--blind", description = "Replace every image by a blank one.")
    private boolean blind;

    @Option(
            names = "--missing-image-policy",
            paramLabel = "POLICY",
            description = "What happens to questions whose image is missing or cannot be read: fail ends the run, skip"
                    + " gives an empty answer, blank asks about a blank image; the results count them (default: fail).")
    private MissingImagePolicy missingImages = MissingImagePolicy.FAIL;

    @Option(
            names = "--model-id",
            paramLabel = "NAME",
            description = "Name in the answer file (default: the folder's name and a fingerprint of its weights).")
    private @Nullable String modelId;

    /** @throws ParameterException for a batch size below 1 */
    void check(CommandSpec spec) {
        if (batchSize < 1) {
            throw new ParameterException(spec.commandLine(), "--batch-size must be 1 or more");
        }
    }

    ModelOptions model() {
        return model;
    }

    int batchSize() {
        return batchSize;
    }

    boolean blind() {
        return blind;
    }

    MissingImagePolicy missingImages() {
        return missingImages;
    }

    /** The model's name in answers and results. */
    String modelId() {
        if (modelId == null) {
            modelId = model.id();
        }
        return modelId;
    }

    /** A runner that asks an open model under its name. */
    EvalRunner runner(LlavaPipeline pipeline) {
        return new EvalRunner(pipeline, modelId(), image -> ImageDecoder.decode(image, model.orientation()));
    }
}
