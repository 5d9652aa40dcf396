package io.llava4j.model.config;

import java.util.regex.Pattern;

/**
 * Low-rank adapters of the language model's linear layers (LoRA, Hu et al. 2021; docs/reference/training.md#lora): a layer
 * adds {@code alpha / rank * B A x} to {@code W x}, where A is {@code [rank, in]} and B {@code [out, rank]}.
 *
 * @param rank rows of A
 * @param alpha weight of the added term, times the rank
 * @param dropout share of the adapters' inputs that training drops, at least 0 and below 1
 */
public record LoraConfig(int rank, double alpha, double dropout) {
    /** Ends the name of an adapter's A, after the name of the layer. */
    public static final String DOWN = "lora_A.weight";

    /** Ends the name of an adapter's B. */
    public static final String UP = "lora_B.weight";

    /**
     * Matches full names, as the layers of the vision tower are called q_proj too and must not be adapted
     * (docs/reference/model.md#lora-adapter-layout).
     */
    private static final Pattern ADAPTED =
            Pattern.compile("model\\.layers\\.\\d+\\.(self_attn\\.[qkvo]_proj|mlp\\.(gate|up|down)_proj)\\.weight");

    /** Factor of B A. */
    public double scale() {
        return alpha / rank;
    }

    /** Whether the layer of this weight, by canonical name, gets an adapter: all linear layers of the language model's blocks. */
    public static boolean adapts(String weight) {
        return ADAPTED.matcher(weight).matches();
    }
}
