package io.llava4j.model.config;

import java.util.List;
import java.util.regex.Pattern;

/**
 * Low-rank adapters of the language model's linear layers (LoRA, Hu et al. 2021; docs/reference/training.md#lora): a layer
 * adds {@code scale * B A x} to {@code W x}, where A is {@code [rank, in]} and B {@code [out, rank]}.
 *
 * @param rank rows of A
 * @param alpha weight of the added term, times the rank or its root
 * @param dropout share of the adapters' inputs that training drops, at least 0 and below 1
 * @param rankStabilised whether alpha is divided by the root of the rank (rsLoRA, Kalajdzievski 2023)
 * @param dora whether every row of the adapted weight has a trained length (DoRA, Liu et al. 2024)
 * @param targetModules ends of the adapted layers' names, or {@link #ALL_LINEAR}
 * @param modulesToSave names of modules that are trained in full beside the adapters
 */
public record LoraConfig(
        int rank,
        double alpha,
        double dropout,
        boolean rankStabilised,
        boolean dora,
        List<String> targetModules,
        List<String> modulesToSave) {
    /** Stands for every linear layer of the language model's blocks, as in PEFT. */
    public static final String ALL_LINEAR = "all-linear";

    /** Ends the name of an adapter's A, after the name of the layer. */
    public static final String DOWN = "lora_A.weight";

    /** Ends the name of an adapter's B. */
    public static final String UP = "lora_B.weight";

    /** Ends the name of the trained lengths of the rows (DoRA), {@code [out]}. */
    public static final String MAGNITUDE = "lora_magnitude_vector";

    /**
     * Matches full names, as the layers of the vision tower are called q_proj too and must not be adapted
     * (docs/reference/model.md#lora-adapter-layout).
     */
    private static final Pattern LINEAR =
            Pattern.compile("model\\.layers\\.\\d+\\.(self_attn\\.[qkvo]_proj|mlp\\.(gate|up|down)_proj)\\.weight");

    public LoraConfig {
        targetModules = List.copyOf(targetModules);
        modulesToSave = List.copyOf(modulesToSave);
    }

    /** Adapters of every linear layer, scaled by {@code alpha / rank}. */
    public LoraConfig(int rank, double alpha, double dropout) {
        this(rank, alpha, dropout, false, false, List.of(ALL_LINEAR), List.of());
    }

    /** Factor of B A. */
    public double scale() {
        return alpha / (rankStabilised ? Math.sqrt(rank) : rank);
    }

    /** Whether the layer of this weight, by canonical name, gets an adapter. */
    public boolean adapts(String weight) {
        return targetModules.stream().anyMatch(target -> isTarget(target, weight));
    }

    /** Whether an entry of the target modules stands for the layer of this weight, by canonical name. */
    public static boolean isTarget(String target, String weight) {
        return LINEAR.matcher(weight).matches()
                && (target.equals(ALL_LINEAR) || ("." + weight).endsWith("." + target + ".weight"));
    }

    /** Whether the tensor of this canonical name is trained in full beside the adapters. */
    public boolean saves(String tensor) {
        return modulesToSave.stream().anyMatch(module -> isIn(module, tensor));
    }

    /** Whether the tensor of this canonical name belongs to the module of that name. */
    public static boolean isIn(String module, String tensor) {
        return ("." + tensor).contains("." + module + ".");
    }

    /** Whether the tensor of this canonical name belongs to an adapter. */
    public static boolean isAdapter(String tensor) {
        return tensor.endsWith("." + DOWN) || tensor.endsWith("." + UP) || tensor.endsWith("." + MAGNITUDE);
    }
}
