package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.tensor.format.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Training against recorded runs of the reference: loss, learning rate, gradients and parameters of every
 * {@code RUN.json} of a model folder, on the micro-batches in its {@code batches.safetensors}. A run starts from the fp32
 * checkpoint of the folder of the same name in {@code ../tiny-llava} and is run by llava4j's own trainer.
 */
public final class TrainingSuite implements Suite {
    static final String NAME = "training";
    private static final String BATCHES = "batches.safetensors";
    private static final String MODELS = "tiny-llava";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public boolean accepts(Path dir) {
        return isModelFolder(dir)
                || ModelFolder.list(dir, TrainingSuite::isModelFolder).findAny().isPresent();
    }

    @Override
    public void run(Path dir, Consumer<CaseResult> out) {
        if (isModelFolder(dir)) {
            model(dir, out);
            return;
        }
        ModelFolder.list(dir, Files::isDirectory).forEach(child -> {
            if (isModelFolder(child)) {
                model(child, out);
            } else {
                out.accept(CaseResult.skipped(NAME, ModelFolder.name(child), "the folder holds no " + BATCHES));
            }
        });
    }

    private static boolean isModelFolder(Path dir) {
        return Files.isRegularFile(dir.resolve(BATCHES));
    }

    private static void model(Path folder, Consumer<CaseResult> out) {
        Optional<Path> start = start(folder);
        ModelFolder.list(folder, file -> ModelFolder.name(file).endsWith(".json"))
                .forEach(file -> {
                    String label = ModelFolder.name(folder) + "/"
                            + ModelFolder.name(file).replace(".json", "");
                    if (start.isEmpty()) {
                        out.accept(CaseResult.skipped(
                                NAME,
                                label,
                                "the start weights, an fp32 model in ../%s/%s, are not there"
                                        .formatted(MODELS, ModelFolder.name(folder))));
                        return;
                    }
                    try {
                        new TrainingCase(label, read(file), tensors(file), folder.resolve(BATCHES), start.get(), out)
                                .run();
                    } catch (LlavaException e) {
                        out.accept(CaseResult.exact(NAME, label, false, String.valueOf(e.getMessage())));
                    }
                });
    }

    private static Optional<Path> start(Path folder) {
        Path models =
                folder.toAbsolutePath().normalize().resolve("../../" + MODELS).normalize();
        return ModelFolder.checkpoints(models.resolve(ModelFolder.name(folder))).stream()
                .filter(path ->
                        ModelFolder.precision(path).filter(DType.F32::equals).isPresent())
                .findFirst();
    }

    private static JsonNode read(Path file) {
        try {
            return JsonMapper.builder().build().readTree(file);
        } catch (JacksonException e) {
            throw new DataException("%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
        }
    }

    private static Path tensors(Path json) {
        return json.resolveSibling(ModelFolder.name(json).replace(".json", ".safetensors"));
    }
}
