package io.llava4j.checkpoint.layout;

import static io.llava4j.checkpoint.layout.CanonicalNames.LAYERS;
import static io.llava4j.checkpoint.layout.CanonicalNames.PROJECTOR;
import static io.llava4j.checkpoint.layout.CanonicalNames.TOWER;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * llama.cpp's names of LLaVA's tensors: the language model's in one file, the tower's ({@code v.}) and the projector's
 * ({@code mm.}) in the other, called mmproj.
 */
public final class GgufNames {
    /** The token embedding table. */
    public static final String TOKEN_TABLE = "token_embd.weight";
    /** The LM head. */
    public static final String HEAD = "output.weight";
    /** What every frequency of the rotary embedding is divided by; read with the configuration. */
    public static final String ROPE_FREQUENCIES = "rope_freqs.weight";
    /** Bias of the first MLP matrix of the tower's first block. */
    public static final String FIRST_MLP_BIAS = "v.blk.0.ffn_up.bias";

    /** Begins the tower's last norm. Under its llama.cpp name llama.cpp would apply it, which LLaVA does not. */
    public static final String POST_NORM = "llava4j.v.post_ln.";

    private static final String BLOCK = "blk.";
    private static final String TOWER_BLOCK = "v.blk.";
    private static final String MM_PROJECTOR = "mm.";
    private static final String TOWER_LAYERS = TOWER + "encoder.layers.";

    private static final Map<String, String> SINGLES = Map.ofEntries(
            Map.entry(CanonicalNames.EMBED_TOKENS, TOKEN_TABLE),
            Map.entry(CanonicalNames.NORM, "output_norm.weight"),
            Map.entry(CanonicalNames.LM_HEAD, HEAD),
            Map.entry(TOWER + "embeddings.class_embedding", "v.class_embd"),
            Map.entry(CanonicalNames.PATCH_EMBEDDING + "weight", "v.patch_embd.weight"),
            Map.entry(TOWER + "embeddings.position_embedding.weight", "v.position_embd.weight"),
            Map.entry(TOWER + "pre_layrnorm.weight", "v.pre_ln.weight"),
            Map.entry(TOWER + "pre_layrnorm.bias", "v.pre_ln.bias"),
            Map.entry(TOWER + "post_layernorm.weight", POST_NORM + "weight"),
            Map.entry(TOWER + "post_layernorm.bias", POST_NORM + "bias"));

    private static final Map<String, String> TEXT_PARTS = Map.of(
            "self_attn.q_proj", "attn_q",
            "self_attn.k_proj", "attn_k",
            "self_attn.v_proj", "attn_v",
            "self_attn.o_proj", "attn_output",
            "mlp.gate_proj", "ffn_gate",
            "mlp.up_proj", "ffn_up",
            "mlp.down_proj", "ffn_down",
            "input_layernorm", "attn_norm",
            "post_attention_layernorm", "ffn_norm");

    private static final Map<String, String> TOWER_PARTS = Map.of(
            "self_attn.q_proj", "attn_q",
            "self_attn.k_proj", "attn_k",
            "self_attn.v_proj", "attn_v",
            "self_attn.out_proj", "attn_out",
            "layer_norm1", "ln1",
            "layer_norm2", "ln2",
            "mlp.fc1", "ffn_up",
            "mlp.fc2", "ffn_down");

    private static final Map<String, String> SINGLES_BACK = inverse(SINGLES);
    private static final Map<String, String> TEXT_BACK = inverse(TEXT_PARTS);
    private static final Map<String, String> TOWER_BACK = inverse(TOWER_PARTS);

    private GgufNames() {}

    /** Name in the file; empty for a tensor that llama.cpp does not know. */
    static Optional<String> of(String canonical) {
        if (SINGLES.containsKey(canonical)) {
            return Optional.of(SINGLES.get(canonical));
        }
        if (canonical.startsWith(PROJECTOR)) {
            return Optional.of(MM_PROJECTOR + canonical.substring(PROJECTOR.length()));
        }
        return inBlock(canonical, LAYERS, BLOCK, TEXT_PARTS)
                .or(() -> inBlock(canonical, TOWER_LAYERS, TOWER_BLOCK, TOWER_PARTS));
    }

    /**
     * Canonical name; empty for a tensor that LLaVA does not have.
     *
     * @param swappedMlp whether the file calls the first matrix of the tower's MLPs {@code ffn_down}, as old files do
     */
    public static Optional<String> canonical(String name, boolean swappedMlp) {
        if (SINGLES_BACK.containsKey(name)) {
            return Optional.of(SINGLES_BACK.get(name));
        }
        if (name.startsWith(MM_PROJECTOR)) {
            return Optional.of(PROJECTOR + name.substring(MM_PROJECTOR.length()));
        }
        Map<String, String> towerParts = TOWER_BACK;
        if (swappedMlp) {
            towerParts = new HashMap<>(TOWER_BACK);
            towerParts.put("ffn_up", "mlp.fc2");
            towerParts.put("ffn_down", "mlp.fc1");
        }
        Map<String, String> parts = towerParts;
        return inBlock(name, BLOCK, LAYERS, TEXT_BACK).or(() -> inBlock(name, TOWER_BLOCK, TOWER_LAYERS, parts));
    }

    /** Whether a tensor is recomputed instead of read. */
    public static boolean ignores(String name) {
        return name.equals(ROPE_FREQUENCIES);
    }

    /** Translates {@code FROM index . part . weight}. */
    private static Optional<String> inBlock(String name, String from, String to, Map<String, String> parts) {
        int index = name.indexOf('.', from.length());
        int last = name.lastIndexOf('.');
        if (!name.startsWith(from) || index < 0 || last <= index) {
            return Optional.empty();
        }
        String part = parts.get(name.substring(index + 1, last));
        return part == null
                ? Optional.empty()
                : Optional.of(to + name.substring(from.length(), index + 1) + part + name.substring(last));
    }

    private static Map<String, String> inverse(Map<String, String> map) {
        Map<String, String> back = new HashMap<>();
        map.forEach((key, value) -> back.put(value, key));
        return Map.copyOf(back);
    }
}
