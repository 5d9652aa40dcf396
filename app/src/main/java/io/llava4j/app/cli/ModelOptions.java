package io.llava4j.app.cli;

import io.llava4j.checkpoint.ModelParts;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.ExifOrientation;
import io.llava4j.text.ConversationTemplate;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of verbs that load a model. */
final class ModelOptions {
    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "DIR",
            description = "Model folder of any supported layout, or a GGUF file.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path model;

    @Option(names = "--device", description = "cpu or cuda:N (default: ${DEFAULT-VALUE}).")
    private String device = "cpu";

    @Option(
            names = "--vision-tower",
            paramLabel = "DIR",
            description = "CLIP's folder, where the model names its tower but does not hold it.")
    private @Nullable Path visionTower;

    @Option(
            names = "--mmproj",
            paramLabel = "FILE",
            description = "GGUF file of tower and projector (default: the one beside the model's file).")
    private @Nullable Path mmproj;

    @Option(
            names = "--template",
            paramLabel = "NAME",
            description = "Conversation template, such as v1 or llava_llama_2 (default: the model's own).")
    private @Nullable String template;

    @Mixin
    private KernelsOption kernels = new KernelsOption();

    @Option(
            names = "--exif-orientation",
            description =
                    "Turn and mirror images as their EXIF orientation says; by default it is ignored, as LLaVA does.")
    private boolean exifOrientation;

    /** What becomes of an image's orientation tag. */
    ExifOrientation orientation() {
        return ExifOrientation.applied(exifOrientation);
    }

    /** The path as given on the command line. */
    Path directory() {
        return model;
    }

    /** A file or folder next to the model. */
    Path beside(String name) {
        return model.toAbsolutePath().normalize().resolveSibling(name);
    }

    /** Name of the model for its answers; whatever else decides them is part of it. */
    String id() {
        List<Path> all =
                Stream.of(model, visionTower, mmproj).filter(Objects::nonNull).toList();
        return ModelId.of(all)
                + (template == null ? "" : "-" + template)
                + (exifOrientation ? "-exif-orientation" : "");
    }

    /** Loads the model. */
    LlavaPipeline open() {
        kernels.check(device);
        ConversationTemplate named = template == null ? null : ConversationTemplate.named(template);
        return LlavaPipeline.open(
                model, device, new LlavaPipeline.Settings(named, true), new ModelParts(visionTower, mmproj));
    }
}
