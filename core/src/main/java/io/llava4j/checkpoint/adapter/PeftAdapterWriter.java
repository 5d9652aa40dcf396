package io.llava4j.checkpoint.adapter;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.huggingface.ModelConfigWriter;
import io.llava4j.checkpoint.huggingface.ModelConfigs;
import io.llava4j.checkpoint.huggingface.TokenizerFiles;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.checkpoint.torch.TorchBinWriter;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.format.DType;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.DoubleNode;
import tools.jackson.databind.node.LongNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Saves LoRA adapters in the files that PEFT and LLaVA read (docs/reference/model.md#lora-adapter-layout);
 * {@link PeftAdapter} reads them back.
 */
public final class PeftAdapterWriter {
    private PeftAdapterWriter() {}

    /**
     * Description of an adapter and of the model that it changes.
     *
     * @param model configuration of the whole model
     * @param lora settings of the training
     * @param base folder of the model, or of the language model, that it was trained on
     * @param visionTower folder of the tower, if the base has none
     */
    public record Adapter(
            LlavaConfig model,
            LoraConfig lora,
            Path base,
            @Nullable Path visionTower) {}

    /**
     * Saves the folder of an adapter atomically.
     *
     * @param directory must not exist yet, or be empty
     * @param adapter its description
     * @param tokenizer folder whose tokenizer files are copied
     * @param adapters tensors of the adapters and of the modules to save, by canonical name
     * @param others other tensors that were trained in full, by canonical name
     * @throws CheckpointException if the files cannot be written
     */
    public static void save(
            Path directory,
            Adapter adapter,
            Path tokenizer,
            Collection<TensorSource> adapters,
            Collection<TensorSource> others) {
        DType dtype = adapters.stream().map(TensorSource::dtype).findFirst().orElse(DType.F32);
        ObjectNode model = ModelConfigWriter.write(new ModelKind.Llava(adapter.model()), dtype);
        if (adapter.visionTower() != null) {
            model.put("mm_vision_tower", absolute(adapter.visionTower()));
        }
        AtomicFiles.writeDirectory(directory, partial -> {
            AtomicFiles.write(partial.resolve(PeftAdapter.CONFIG), StrictJson.pretty(config(adapter, adapters)));
            AtomicFiles.write(partial.resolve(ModelConfigs.FILE), StrictJson.pretty(model));
            TokenizerFiles.copy(tokenizer, partial);
            SafeTensorsWriter.write(partial.resolve(PeftAdapter.WEIGHTS), wrapped(adapters), Map.of());
            if (!others.isEmpty()) {
                TorchBinWriter.write(partial.resolve(PeftAdapter.OTHERS), wrapped(others));
            }
        });
    }

    private static Collection<TensorSource> wrapped(Collection<TensorSource> tensors) {
        return tensors.stream()
                .map(tensor -> tensor.withName(PeftAdapter.WRAPPER + tensor.name()))
                .toList();
    }

    private static ObjectNode config(Adapter adapter, Collection<TensorSource> adapters) {
        ObjectNode root = StrictJson.MAPPER.createObjectNode();
        root.put("peft_type", "LORA");
        root.put("task_type", "CAUSAL_LM");
        root.put("base_model_name_or_path", absolute(adapter.base()));
        root.put("r", adapter.lora().rank());
        double alpha = adapter.lora().alpha();
        root.set("lora_alpha", alpha == Math.rint(alpha) ? LongNode.valueOf((long) alpha) : DoubleNode.valueOf(alpha));
        root.put("lora_dropout", adapter.lora().dropout());
        root.put("bias", "none");
        root.put("fan_in_fan_out", false);
        root.put("inference_mode", true);
        root.put("init_lora_weights", true);
        root.put("use_rslora", adapter.lora().rankStabilised());
        root.put("use_dora", adapter.lora().dora());
        if (adapter.lora().modulesToSave().isEmpty()) {
            root.putNull("modules_to_save");
        } else {
            ArrayNode saved = root.putArray("modules_to_save");
            adapter.lora().modulesToSave().forEach(saved::add);
        }
        // Full paths, because last names alone would also match layers of the tower
        // (docs/reference/model.md#lora-adapter-layout).
        ArrayNode targets = root.putArray("target_modules");
        adapters.stream()
                .filter(tensor -> LoraConfig.isAdapter(tensor.name()))
                .map(tensor -> tensor.name().substring(0, tensor.name().lastIndexOf(".lora_")))
                .distinct()
                .forEach(targets::add);
        return root;
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().normalize().toString();
    }
}
