package io.llava4j.checkpoint.layout;

import static io.llava4j.checkpoint.layout.CanonicalNames.PROJECTOR;
import static io.llava4j.checkpoint.layout.CanonicalNames.ROW_END;
import static io.llava4j.checkpoint.layout.CanonicalNames.TOWER;

import io.llava4j.CheckpointException;
import io.llava4j.io.KebabCase;
import java.util.Collection;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How a checkpoint names its tensors (docs/reference/model.md#checkpoint-layouts), detected from the names themselves. */
public enum CheckpointLayout {
    /** {@code model.*}, {@code lm_head}, {@code model.mm_projector.*}; also a plain LLaMA and llava4j's own models. */
    LIUHAOTIAN,
    /** llava-hf files up to transformers 4.51: {@code language_model.model.*}, {@code vision_tower.vision_model.*}. */
    HF_OLD,
    /** transformers from 4.52: {@code model.language_model.*}, {@code model.vision_tower.vision_model.*}. */
    HF_NEW,
    /** A CLIP model: {@code vision_model.*} beside a text tower that is not needed. */
    CLIP,
    /** llama.cpp: the language model in one GGUF file, tower and projector in another ({@link GgufNames}). */
    GGUF,
    /** Only a projector: {@code …mm_projector.*} or {@code …multi_modal_projector.*}. */
    PROJECTOR_ONLY;

    private static final Pattern HF_LINEAR = Pattern.compile("multi_modal_projector\\.linear_([1-9])\\.(.+)");
    private static final Pattern LINEAR = Pattern.compile("model\\.mm_projector\\.(\\d{1,2})\\.(.+)");
    private static final String HF_OLD_ROW_END = "image_newline";
    private static final String MM_PROJECTOR = "mm_projector.";

    /** The layout of a set of names; empty if they belong to no model that llava4j reads. */
    public static Optional<CheckpointLayout> of(Collection<String> names) {
        if (anyStartsWith(names, "model.language_model.")) {
            return Optional.of(HF_NEW);
        }
        if (anyStartsWith(names, "language_model.")) {
            return Optional.of(HF_OLD);
        }
        if (anyStartsWith(names, "model.layers.") || anyStartsWith(names, "model.embed_tokens.")) {
            return Optional.of(LIUHAOTIAN);
        }
        if (anyStartsWith(names, "vision_model.")) {
            return Optional.of(CLIP);
        }
        boolean projector = !names.isEmpty()
                && names.stream().allMatch(n -> n.contains(MM_PROJECTOR) || n.contains("multi_modal_projector."));
        return projector ? Optional.of(PROJECTOR_ONLY) : Optional.empty();
    }

    private static boolean anyStartsWith(Collection<String> names, String prefix) {
        return names.stream().anyMatch(name -> name.startsWith(prefix));
    }

    /** The canonical name of a tensor; empty if this layout has no such tensor. */
    public Optional<String> canonical(String name) {
        return switch (this) {
            case LIUHAOTIAN ->
                name.startsWith("model.") || name.startsWith("lm_head.") ? Optional.of(name) : Optional.empty();
            case HF_OLD ->
                moved(name, "language_model.model.", "model.")
                        .or(() -> moved(name, "language_model.lm_head.", "lm_head."))
                        .or(() -> moved(name, "vision_tower.vision_model.", TOWER))
                        .or(() -> moved(name, HF_OLD_ROW_END, ROW_END))
                        .or(() -> hfLinear(name));
            case HF_NEW ->
                moved(name, "model.language_model.", "model.")
                        .or(() -> moved(name, "lm_head.", "lm_head."))
                        .or(() -> moved(name, "model.vision_tower.vision_model.", TOWER))
                        .or(() -> moved(name, ROW_END, ROW_END))
                        .or(() -> moved(name, "model.", "").flatMap(CheckpointLayout::hfLinear));
            case CLIP -> moved(name, "vision_model.", TOWER);
            case GGUF -> GgufNames.canonical(name, false);
            case PROJECTOR_ONLY -> {
                int at = name.indexOf(MM_PROJECTOR);
                yield at >= 0
                        ? Optional.of(PROJECTOR + name.substring(at + MM_PROJECTOR.length()))
                        : hfLinear(name.substring(Math.max(0, name.indexOf("multi_modal_projector."))));
            }
        };
    }

    /** Whether the model does not need a tensor: tables that are recomputed, and CLIP's text tower. */
    public boolean ignores(String name) {
        if (name.endsWith(".rotary_emb.inv_freq") || name.endsWith(".position_ids")) {
            return true;
        }
        return this == CLIP
                && (name.startsWith("text_model.")
                        || name.startsWith("text_projection.")
                        || name.startsWith("visual_projection.")
                        || name.equals("logit_scale"));
    }

    /**
     * The name in a file of this layout.
     *
     * @param canonical name of a tensor of a whole model
     * @throws CheckpointException if this layout has no such tensor
     */
    public String onDisk(String canonical) {
        Optional<String> name = switch (this) {
            case LIUHAOTIAN -> Optional.of(canonical);
            case HF_OLD ->
                moved(canonical, TOWER, "vision_tower.vision_model.")
                        .or(() -> moved(canonical, ROW_END, HF_OLD_ROW_END))
                        .or(() -> hfLinearOnDisk(canonical, ""))
                        .or(() -> moved(canonical, "model.", "language_model.model."))
                        .or(() -> moved(canonical, "lm_head.", "language_model.lm_head."));
            case HF_NEW ->
                moved(canonical, TOWER, "model.vision_tower.vision_model.")
                        .or(() -> moved(canonical, ROW_END, ROW_END))
                        .or(() -> hfLinearOnDisk(canonical, "model."))
                        .or(() -> moved(canonical, "model.", "model.language_model."))
                        .or(() -> moved(canonical, "lm_head.", "lm_head."));
            case GGUF -> GgufNames.of(canonical);
            case CLIP, PROJECTOR_ONLY -> Optional.empty();
        };
        return name.orElseThrow(() -> new CheckpointException(
                "tensor '%s' has no name in the layout %s".formatted(canonical, KebabCase.of(this))));
    }

    private static Optional<String> hfLinearOnDisk(String canonical, String prefix) {
        Matcher linear = LINEAR.matcher(canonical);
        return linear.matches()
                ? Optional.of("%smulti_modal_projector.linear_%d.%s"
                        .formatted(prefix, Integer.parseInt(linear.group(1)) / 2 + 1, linear.group(2)))
                : Optional.empty();
    }

    private static Optional<String> moved(String name, String from, String to) {
        return name.startsWith(from) ? Optional.of(to + name.substring(from.length())) : Optional.empty();
    }

    /** {@code linear_1} is the sequence's element 0, {@code linear_2} its element 2: GELUs have the odd indices. */
    private static Optional<String> hfLinear(String name) {
        Matcher linear = HF_LINEAR.matcher(name);
        return linear.matches()
                ? Optional.of(PROJECTOR + 2 * (Integer.parseInt(linear.group(1)) - 1) + "." + linear.group(2))
                : Optional.empty();
    }
}
