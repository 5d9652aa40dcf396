package io.llava4j.nano.pretrain;

import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.Initializer;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.LlamaParameters;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.config.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Makes a trained model deeper, and its images or its vocabulary larger, without changing what it computes. New blocks follow the old ones
 * and start as the identity, because the matrices that end their two branches are zero (block expansion, LLaMA Pro, arXiv
 * 2401.02415). A position table for more patches is interpolated.
 */
final class Growth {
    private static final List<String> BRANCH_ENDS =
            List.of("self_attn.out_proj.weight", "mlp.fc2.weight", "self_attn.o_proj.weight", "mlp.down_proj.weight");

    private final Weights weights;
    private final Initializer initializer;

    /**
     * @param weights of the trained model; they become those of the grown one
     * @param initializer of the matrices that do not end a branch
     */
    Growth(Weights weights, Initializer initializer) {
        this.weights = weights;
        this.initializer = initializer;
    }

    /** @throws io.llava4j.ConfigException if the shapes differ in more than blocks and image size, or there are fewer blocks */
    void tower(VisionConfig from, VisionConfig to) {
        Require.that(
                from.equals(new VisionConfig(
                        to.hiddenSize(),
                        to.intermediateSize(),
                        from.layers(),
                        to.heads(),
                        from.imageSize(),
                        to.patchSize(),
                        to.layerNormEps(),
                        to.hiddenAct(),
                        to.stemChannels(),
                        from.scaling())),
                "config.vision differs from the tower to train further in more than layers and image-size");
        addBlocks(new ModelKind.Clip(to), from.layers(), to.layers());
        if (from.grid() != to.grid()) {
            String name = ClipParameters.of(to).positionEmbedding().name();
            weights.put(name, interpolated(weights.get(name), from.grid(), to.grid()));
        }
    }

    /**
     * @param spellings of each piece that the vocabulary gains, in the trained model's own tokens: a new piece starts as the mean of
     *     what spelled it
     * @throws io.llava4j.ConfigException if the shapes differ in more than blocks and vocabulary, or there are fewer blocks
     */
    void language(TextConfig from, TextConfig to, List<int[]> spellings) {
        int vocabulary = from.vocabSize() + spellings.size();
        Require.that(
                to.vocabSize() == vocabulary,
                "config.text.vocab-size is %d, but the tokenizer has %d pieces".formatted(to.vocabSize(), vocabulary));
        Require.that(
                from.hiddenSize() == to.hiddenSize()
                        && from.intermediateSize() == to.intermediateSize()
                        && from.heads() == to.heads()
                        && from.kvHeads() == to.kvHeads()
                        && from.ropeTheta() == to.ropeTheta()
                        && from.tieWordEmbeddings() == to.tieWordEmbeddings(),
                "config.text differs from the language model to train further in more than layers, vocab-size and"
                        + " max-position-embeddings");
        if (!spellings.isEmpty()) {
            addRows(LlamaParameters.EMBED_TOKENS, spellings);
            if (!to.tieWordEmbeddings()) {
                addRows(LlamaParameters.LM_HEAD + "weight", spellings);
            }
        }
        addBlocks(new ModelKind.Llama(to), from.layers(), to.layers());
    }

    private void addBlocks(ModelKind kind, int before, int after) {
        Require.that(
                after >= before,
                "layers is %d, fewer than the %d of the model to train further".formatted(after, before));
        ExpectedTensors.of(kind).shapes().forEach((name, shape) -> {
            if (weights.find(name) == null) {
                initializer.fill(weights, name, shape);
                if (BRANCH_ENDS.stream().anyMatch(name::endsWith)) {
                    weights.get(name).zero_();
                }
            }
        });
    }

    private void addRows(String name, List<int[]> spellings) {
        Tensor table = weights.get(name);
        List<Tensor> rows = new ArrayList<>(List.of(table));
        for (int[] spelling : spellings) {
            Tensor[] spelled = Arrays.stream(spelling)
                    .mapToObj(id -> table.narrow(0, id, 1))
                    .toArray(Tensor[]::new);
            rows.add(Tensors.cat(0, spelled).mean(new long[] {0}, true, new ScalarTypeOptional()));
        }
        weights.put(name, Tensors.cat(0, rows.toArray(Tensor[]::new)));
    }

    /**
     * What a larger vocabulary gains. A word of another language starts as its translation: a name's embedding is found by its likeness
     * to what it names (as in Tik-to-Tok, arXiv 2310.03477).
     *
     * @param translations of words, into what the smaller vocabulary has words for
     * @return each new piece, or its translation, in tokens of the smaller one
     * @throws io.llava4j.ConfigException if the larger one does not begin with the pieces of the smaller one
     */
    static List<int[]> spellings(
            SentencePieceTokenizer smaller, SentencePieceTokenizer larger, Map<String, String> translations) {
        int before = smaller.vocabSize();
        Require.that(
                larger.vocabSize() >= before
                        && larger.model()
                                .pieces()
                                .subList(0, before)
                                .equals(smaller.model().pieces()),
                "tokenizer does not begin with the pieces of the language model's own; make it by llava data vocabulary"
                        + " --extend");
        // A line break separates a piece from the space that a tokenizer puts before the first word.
        int[] lineBreak = smaller.encode("\n");
        List<int[]> spellings = new ArrayList<>();
        for (int id = before; id < larger.vocabSize(); id++) {
            String piece = larger.piece(id);
            String translation = translations.get(piece);
            int[] ids = smaller.encode("\n" + (translation == null ? piece.replace('\u2581', ' ') : " " + translation));
            spellings.add(Arrays.copyOfRange(ids, lineBreak.length, ids.length));
        }
        return spellings;
    }

    /** CLS keeps its row; the patches' rows are an image of {@code from x from} positions. */
    private static Tensor interpolated(Tensor table, int from, int to) {
        long hidden = table.size(1);
        Tensor patches = table.narrow(0, 1, (long) from * from)
                .reshape(1, from, from, hidden)
                .permute(0, 3, 1, 2);
        Tensor larger = torch.upsample_bilinear2d(patches, new long[] {to, to}, false)
                .permute(0, 2, 3, 1)
                .reshape((long) to * to, hidden);
        return Tensors.cat(0, table.narrow(0, 0, 1), larger);
    }
}
