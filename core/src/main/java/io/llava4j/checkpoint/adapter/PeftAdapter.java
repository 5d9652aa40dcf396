package io.llava4j.checkpoint.adapter;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.WeightFiles;
import io.llava4j.checkpoint.huggingface.ConfigReader;
import io.llava4j.checkpoint.huggingface.ModelConfigs;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.WeightFile;
import io.llava4j.io.FileErrors;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.VisionConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A LoRA adapter as PEFT and LLaVA store it (docs/reference/model.md#lora-adapter-layout): {@code adapter_config.json},
 * {@code adapter_model.*} and {@code non_lora_trainables.*} with the tensors that were trained in full. It needs its base
 * model.
 */
public final class PeftAdapter implements AutoCloseable {
    static final String CONFIG = "adapter_config.json";
    static final String WEIGHTS = "adapter_model.safetensors";
    static final String OTHERS = "non_lora_trainables.bin";

    /** Begins the names of all tensors: PEFT's wrapper, and the model in it. */
    static final String WRAPPER = "base_model.model.";

    private static final List<String> WEIGHT_FILES = List.of(WEIGHTS, "adapter_model.bin");
    private static final List<String> OTHER_FILES = List.of("non_lora_trainables.safetensors", OTHERS);
    private static final Pattern PAIR =
            Pattern.compile("(.+\\.)(lora_[AB]\\.weight|lora_magnitude_vector)(\\.weight)?");

    /**
     * The two low-rank matrices of a layer, whose product B A is added to its weight.
     *
     * @param down A, {@code [rank, in]}
     * @param up B, {@code [out, rank]}
     * @param scale factor of B A
     * @param magnitude length of every row of the merged matrix (DoRA), {@code [out]}; null for LoRA
     */
    public record Pair(
            TensorEntry down,
            TensorEntry up,
            double scale,
            @Nullable TensorEntry magnitude) {}

    private final Path directory;
    private final ConfigReader config;
    private final AdapterSettings settings;
    private final List<WeightFile> files = new ArrayList<>();
    private final SequencedMap<String, Pair> pairs = new LinkedHashMap<>();
    private final SequencedMap<String, TensorEntry> others = new LinkedHashMap<>();

    private PeftAdapter(Path directory) {
        this.directory = directory;
        Path file = directory.resolve(CONFIG);
        this.config = new ConfigReader(file, "", StrictJson.object(file));
        this.settings = AdapterSettings.read(config);
    }

    /** Whether a folder holds an adapter. */
    public static boolean isIn(Path directory) {
        return Files.exists(directory.resolve(CONFIG));
    }

    /**
     * Opens the folder of an adapter.
     *
     * @throws CheckpointException naming file and tensor, if the weights cannot be read
     * @throws ConfigException naming file and key, for a kind of adapter that llava4j does not implement
     */
    public static PeftAdapter open(Path directory) {
        if (!isIn(directory)) {
            throw new CheckpointException(
                    "%s holds no %s; name the folder of a LoRA adapter".formatted(directory, CONFIG));
        }
        PeftAdapter adapter = new PeftAdapter(directory);
        boolean opened = false;
        try {
            adapter.readPairs();
            adapter.readOthers();
            adapter.requireSavedModules();
            opened = true;
            return adapter;
        } finally {
            if (!opened) {
                adapter.close();
            }
        }
    }

    private WeightFile file(List<String> names) {
        for (String name : names) {
            if (Files.exists(directory.resolve(name))) {
                WeightFile file = WeightFiles.openFile(directory.resolve(name));
                files.add(file);
                return file;
            }
        }
        throw new CheckpointException("%s holds no %s; copy it from where the adapter was trained"
                .formatted(directory, String.join(" or ", names)));
    }

    private void readPairs() {
        Map<String, Map<String, TensorEntry>> byLayer = new LinkedHashMap<>();
        Map<String, TensorEntry> saved = new LinkedHashMap<>();
        file(WEIGHT_FILES).tensors().forEach((name, tensor) -> {
            Matcher matcher = PAIR.matcher(name);
            if (name.startsWith(WRAPPER) && !matcher.matches() && !name.contains(".lora_")) {
                saved.put(name.replace("modules_to_save.", ""), tensor); // a module that was trained in full
                return;
            }
            if (!name.startsWith(WRAPPER) || !matcher.matches()) {
                throw new CheckpointException("%s: tensor '%s' does not belong to a LoRA adapter of linear layers"
                        .formatted(directory, FileErrors.shown(name)));
            }
            byLayer.computeIfAbsent(
                            matcher.group(1).substring(WRAPPER.length()) + "weight", layer -> new LinkedHashMap<>())
                    .put(matcher.group(2), tensor);
        });
        CheckpointLayout layout = CheckpointLayout.of(byLayer.keySet())
                .orElseThrow(
                        () -> new CheckpointException("%s adapts no layers of LLaVA or LLaMA".formatted(directory)));
        byLayer.forEach((layer, parts) -> {
            TensorEntry down = parts.get(LoraConfig.DOWN);
            TensorEntry up = parts.get(LoraConfig.UP);
            String shown = FileErrors.shown(layer);
            if (down == null || up == null) {
                throw new CheckpointException("%s: the adapter of '%s' has no %s"
                        .formatted(directory, shown, down == null ? LoraConfig.DOWN : LoraConfig.UP));
            }
            LoraConfig lora = settings.of(layer.substring(0, layer.length() - ".weight".length()));
            if (down.shape().length != 2
                    || up.shape().length != 2
                    || down.shape()[0] != lora.rank()
                    || up.shape()[1] != lora.rank()) {
                throw new CheckpointException("%s: the adapter of '%s' does not have the rank r = %d of %s"
                        .formatted(directory, shown, lora.rank(), CONFIG));
            }
            String canonical = layout.canonical(layer)
                    .orElseThrow(() -> new CheckpointException(
                            "%s: the adapter of '%s' is not for a layer of LLaVA".formatted(directory, shown)));
            TensorEntry magnitude = parts.get(LoraConfig.MAGNITUDE);
            if (settings.usual().dora() == (magnitude == null)) {
                throw new CheckpointException("%s: use_dora is %s, but the adapter of '%s' has %s %s"
                        .formatted(
                                directory,
                                settings.usual().dora(),
                                shown,
                                magnitude == null ? "no" : "a",
                                LoraConfig.MAGNITUDE));
            }
            pairs.put(canonical, new Pair(down, up, lora.scale(), magnitude));
        });
        saved.forEach((name, tensor) -> {
            String plain = name.substring(WRAPPER.length());
            String canonical = layout.canonical(plain)
                    .or(() -> CheckpointLayout.LIUHAOTIAN.canonical(plain))
                    .orElseThrow(() -> new CheckpointException(
                            "%s: tensor '%s' does not belong to LLaVA".formatted(directory, FileErrors.shown(name))));
            others.put(canonical, tensor.withName(canonical));
        });
    }

    private void requireSavedModules() {
        for (JsonNode module : config.node().path("modules_to_save")) {
            String name = module.asString("");
            if (others.keySet().stream().noneMatch(tensor -> LoraConfig.isIn(name, tensor))) {
                throw config.bad("modules_to_save", "the tensors of " + FileErrors.shown(name) + " beside the adapter");
            }
        }
    }

    /** Names begin with PEFT's wrapper, {@code base_model.model.}, and may have {@code model.} twice after it. */
    private void readOthers() {
        if (OTHER_FILES.stream().noneMatch(name -> Files.exists(directory.resolve(name)))) {
            return;
        }
        file(OTHER_FILES).tensors().forEach((name, tensor) -> {
            String plain = name.startsWith(WRAPPER) ? name.substring(WRAPPER.length()) : name;
            if (plain.startsWith("model.model.")) {
                plain = plain.substring("model.".length());
            }
            CheckpointLayout layout =
                    plain.contains("mm_projector.") ? CheckpointLayout.PROJECTOR_ONLY : CheckpointLayout.LIUHAOTIAN;
            String canonical = layout.canonical(plain)
                    .orElseThrow(() -> new CheckpointException(
                            "%s: tensor '%s' does not belong to LLaVA".formatted(directory, FileErrors.shown(name))));
            others.put(canonical, tensor.withName(canonical));
        });
    }

    /** Rank and alpha; dropout, which only training needs, is 0. */
    public LoraConfig lora() {
        return settings.usual();
    }

    /** The base model that the configuration names: a folder or a hub id. */
    public Optional<String> base() {
        return config.string("base_model_name_or_path");
    }

    /** Low-rank matrices by the canonical name of the weight that they change. */
    public SequencedMap<String, Pair> pairs() {
        return Collections.unmodifiableSequencedMap(pairs);
    }

    /** Tensors that were trained in full, by canonical name; they replace those of the base. */
    public SequencedMap<String, TensorEntry> others() {
        return Collections.unmodifiableSequencedMap(others);
    }

    /** The vision tower that config.json names, a folder or a hub id; empty without a config.json. */
    public Optional<String> towerName() {
        return Files.exists(directory.resolve(ModelConfigs.FILE))
                ? ModelConfigs.towerName(directory)
                : Optional.empty();
    }

    /**
     * The configuration of the whole model, if the adapter has one.
     *
     * @param tower shape of the model's vision tower
     */
    public Optional<LlavaConfig> modelConfig(VisionConfig tower) {
        if (!Files.exists(directory.resolve(ModelConfigs.FILE))) {
            return Optional.empty();
        }
        return ModelConfigs.read(directory, name -> Optional.of(tower)) instanceof ModelKind.Llava llava
                ? Optional.of(llava.config())
                : Optional.empty();
    }

    /** Unmaps all files; no tensor may be read afterwards. */
    @Override
    public void close() {
        files.forEach(WeightFile::close);
    }
}
