package io.llava4j.train.recipe;

import io.llava4j.train.config.FlagNames;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Flag names of LLaVA's own training script that have a recipe key of the same meaning. */
public final class FlagAliases implements FlagNames {
    /** All of them. */
    public static final FlagNames LLAVA = new FlagAliases();

    private static final Map<String, String> KEYS = new LinkedHashMap<>();

    static {
        KEYS.put("model_name_or_path", "model.language-model");
        KEYS.put("vision_tower", "model.vision-tower");
        KEYS.put("pretrain_mm_mlp_adapter", "model.projector");
        KEYS.put("mm_projector_type", "model.projector-type");
        KEYS.put("mm_vision_select_layer", "model.select-layer");
        KEYS.put("mm_vision_select_feature", "model.select-feature");
        KEYS.put("mm_patch_merge_type", "model.patch-merge-type");
        KEYS.put("image_grid_pinpoints", "model.image-grids");
        KEYS.put("version", "data.template");
        KEYS.put("data_path", "data.json");
        KEYS.put("image_folder", "data.images");
        KEYS.put("image_aspect_ratio", "data.image-aspect-ratio");
        KEYS.put("group_by_modality_length", "data.group-by-modality");
        KEYS.put("model_max_length", "data.max-length");
        KEYS.put("dataloader_num_workers", "data.workers");
        KEYS.put("output_dir", "output");
        KEYS.put("num_train_epochs", "schedule.epochs");
        KEYS.put("max_steps", "schedule.max-steps");
        KEYS.put("warmup_ratio", "schedule.warmup-ratio");
        KEYS.put("lr_scheduler_type", "schedule.type");
        KEYS.put("per_device_train_batch_size", "batch.per-device");
        KEYS.put("gradient_accumulation_steps", "batch.accumulation");
        KEYS.put("learning_rate", "optimizer.learning-rate");
        KEYS.put("mm_projector_lr", "optimizer.projector-learning-rate");
        KEYS.put("weight_decay", "optimizer.weight-decay");
        KEYS.put("adam_beta1", "optimizer.beta1");
        KEYS.put("adam_beta2", "optimizer.beta2");
        KEYS.put("adam_epsilon", "optimizer.epsilon");
        KEYS.put("max_grad_norm", "optimizer.max-grad-norm");
        KEYS.put("gradient_checkpointing", "gradient-checkpointing");
        KEYS.put("lora_r", "lora.r");
        KEYS.put("lora_alpha", "lora.alpha");
        KEYS.put("lora_dropout", "lora.dropout");
        KEYS.put("logging_steps", "logging.every-steps");
        KEYS.put("save_steps", "checkpoint.every-steps");
        KEYS.put("save_total_limit", "checkpoint.keep-last");
    }

    private FlagAliases() {}

    @Override
    public Optional<String> keyOf(String flag) {
        return Optional.ofNullable(KEYS.get(plain(flag)));
    }

    @Override
    public Set<String> names() {
        return KEYS.keySet();
    }

    /** Translates the few values that are spelled differently: {@code max_steps -1} means no limit. */
    @Override
    public @Nullable Object valueOf(String flag, @Nullable Object value) {
        return plain(flag).equals("max_steps") && value instanceof Integer steps && steps < 0 ? null : value;
    }

    private static String plain(String flag) {
        return flag.startsWith("--") ? flag.substring(2) : flag;
    }
}
