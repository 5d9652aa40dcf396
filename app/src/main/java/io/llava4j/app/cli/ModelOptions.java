package io.llava4j.app.cli;

import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.checkpoint.ModelId;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.image.ExifOrientation;
import io.llava4j.model.prune.VisionZip;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.text.ConversationTemplate;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options of verbs that load a model. */
final class ModelOptions {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = {"-m", "--model"},
            arity = "0..1",
            fallbackValue = "",
            paramLabel = "MODEL",
            converter = ModelPath.class,
            description =
                    "A model folder of any supported layout, a GGUF file, or a pulled OWNER/NAME (default: the model"
                            + " that was pulled last, else the demo's, else the shipped nano model).")
    private @Nullable Path model;

    @Option(names = "--device", description = "cpu or cuda:N (default: ${DEFAULT-VALUE}).")
    private String device = "cpu";

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description =
                    "Numbers that a GPU computes with: fp32, tf32 or bf16, which halves its memory (default: fp32)."
                            + " The CPU computes from the weights as they are stored.")
    private @Nullable ComputePrecision precision;

    @Option(
            names = "--vision-tower",
            paramLabel = "DIR",
            converter = ModelPath.class,
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

    @Option(
            names = "--prompt-lookup",
            paramLabel = "N",
            description = "Guess up to N tokens at a time from what prompt and answer say, on the CPU, "
                    + LlavaPipeline.Settings.MAX_PROMPT_LOOKUP
                    + " at most; changes the speed, not the answers; 0 for none (default: ${DEFAULT-VALUE}).")
    private int promptLookup = 0;

    @Option(
            names = "--packed",
            description =
                    "Map the weights from a file beside the model, weights.packed, in the layout that the CPU computes from;"
                            + " the first start writes it. It takes as much disk as the model, opens faster, and processes"
                            + " share its memory.")
    private boolean packed;

    @Option(
            names = "--vision-tokens",
            paramLabel = "N",
            description =
                    "Leave N image tokens of each image, by VisionZip and without training: faster, and worse at text and"
                            + " positions in images; not for models that tile images or join patches (default: all).")
    private int visionTokens = 0;

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

    /**
     * The model's folder or file.
     *
     * @throws ParameterException if none is named and there is none to take instead
     */
    Path directory() {
        if (model == null || model.toString().isEmpty()) {
            model = new ModelPath()
                    .unnamed(spec.commandLine().getErr())
                    .orElseThrow(() -> new ParameterException(
                            spec.commandLine(),
                            "no model is named with -m, none was pulled, and there is none of the demo and none shipped;"
                                    + " 'llava pull OWNER/NAME' or 'llava demo' gives one"));
        }
        return model;
    }

    /** A file or folder next to the model. */
    Path beside(String name) {
        return directory().toAbsolutePath().normalize().resolveSibling(name);
    }

    /** Name of the model for its answers; whatever else decides them is part of it. */
    String id() {
        List<Path> all = Stream.of(directory(), visionTower, mmproj)
                .filter(Objects::nonNull)
                .toList();
        return ModelId.of(
                all,
                template == null ? "" : template,
                precision == null || precision == ComputePrecision.FP32
                        ? ""
                        : precision.name().toLowerCase(Locale.ROOT),
                orientation().idSuffix(),
                visionTokens == 0 ? "" : visionTokens + "-tokens");
    }

    /** Image tokens that are left of each image; 0 for all. */
    int visionTokens() {
        return visionTokens;
    }

    /** Loads the model. */
    LlavaPipeline open() {
        return open(Scheduler.Limits.DEFAULT);
    }

    /** Loads the model to answer many requests at once. */
    LlavaPipeline open(Scheduler.Limits limits) {
        return LlavaPipeline.open(directory(), device, prepared(limits), parts());
    }

    /** Loads the model for a server. */
    ServedModel.Loaded serve(Scheduler.Limits limits) {
        return ServedModel.Loaded.open(directory(), device, prepared(limits), parts());
    }

    private ModelParts parts() {
        return new ModelParts(visionTower, mmproj, packed ? ModelParts.packedBeside(directory()) : null, visionTokens);
    }

    private LlavaPipeline.Settings prepared(Scheduler.Limits limits) {
        check();
        if (precision != null) {
            precision.use(device);
        }
        ConversationTemplate named = template == null ? null : ConversationTemplate.named(template);
        return new LlavaPipeline.Settings(named, true, limits, promptLookup);
    }

    /**
     * The names that requests may call the model by.
     *
     * @param aliases given by the user; if there are none, the name of its folder or file counts
     */
    List<String> names(List<String> aliases) {
        if (!aliases.isEmpty()) {
            return aliases;
        }
        Path folder = directory().toAbsolutePath().normalize();
        String name = String.valueOf(folder.getFileName());
        Path parent = folder.getParent();
        if (name.equals("model") && parent != null && parent.getFileName() != null) {
            name = parent.getFileName().toString(); // a run keeps its model in a folder of that name
        }
        return List.of(name.endsWith(".gguf") ? name.substring(0, name.length() - ".gguf".length()) : name);
    }

    /** @throws ParameterException if no model is named, or options contradict each other */
    void check() {
        directory();
        kernels.check(device);
        if (precision != null && device.equals("cpu")) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--precision is for GPUs; leave it out, and choose the type of the weights with 'llava convert' or"
                            + " 'llava quantize', or use --device cuda:N");
        }
        if (promptLookup < 0 || promptLookup > LlavaPipeline.Settings.MAX_PROMPT_LOOKUP) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--prompt-lookup must be from 0 to %d, not %d"
                            .formatted(LlavaPipeline.Settings.MAX_PROMPT_LOOKUP, promptLookup));
        }
        if (visionTokens != 0 && visionTokens < VisionZip.MIN_TOKENS) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--vision-tokens must be %d or more, not %d".formatted(VisionZip.MIN_TOKENS, visionTokens));
        }
        if (packed && !device.equals("cpu")) {
            throw new ParameterException(
                    spec.commandLine(), "--packed works on the CPU only; leave it out, or use --device cpu");
        }
        if (promptLookup > 0 && !device.equals("cpu")) {
            throw new ParameterException(
                    spec.commandLine(), "--prompt-lookup works on the CPU only; leave it out, or use --device cpu");
        }
    }
}
