package io.llava4j.app.quantize;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.generate.ModelLoader;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.io.Progress;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.model.cpu.ImageEncoding;
import io.llava4j.model.cpu.InputSquares;
import io.llava4j.model.cpu.KvContext;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How much each column of a language model's matrices matters: the mean square of what it multiplies while the model reads
 * prompts.
 *
 * @param importance of the columns of each matrix, by canonical name
 * @param prompts that were read
 * @param images in them
 * @param tokens of them, image tokens included
 */
public record Calibration(Map<String, float[]> importance, int prompts, int images, long tokens) {
    /** Last tokens of a prompt whose hidden states the LM head sees. */
    private static final int LOGITS = 128;

    /**
     * Reads prompts with a model on the CPU.
     *
     * @param file of prompts ({@link CalibrationPrompts#read})
     * @param images folder of their images; null if there is none
     * @throws DataException naming the prompt that cannot be read
     */
    public static Calibration of(Path model, ModelParts parts, Path file, @Nullable Path images, Progress progress) {
        ModelLoader.Loaded loaded = ModelLoader.load(model, "cpu", parts);
        try (LlavaModel network = loaded.model()) {
            PromptBuilder builder =
                    new PromptBuilder(loaded.tokenizer().get(), network.config().conversationTemplate());
            if (!(network.languageModel() instanceof CpuLlamaModel languageModel)) {
                throw new ConfigException("calibration runs on the CPU kernels only");
            }
            try (CalibrationPrompts prompts = CalibrationPrompts.read(file, images, builder)) {
                return of(network, languageModel, prompts.all(), progress);
            }
        }
    }

    private static Calibration of(
            LlavaModel network, CpuLlamaModel languageModel, List<CalibrationPrompts.One> prompts, Progress progress) {
        InputSquares squares = new InputSquares();
        languageModel.observe(squares);
        int images = 0;
        long tokens = 0;
        int read = 0;
        for (CalibrationPrompts.One prompt : prompts) {
            float[] states = embeddings(network, languageModel, prompt);
            int length = states.length / languageModel.config().hiddenSize();
            try (KvContext context = languageModel.open()) {
                languageModel.read(List.of(new CpuLlamaModel.Chunk(
                        context, MemorySegment.ofArray(states), length, Math.min(length, LOGITS))));
            }
            images += prompt.images().size();
            tokens += length;
            progress.update(++read, prompts.size());
        }
        languageModel.observe(null);
        return new Calibration(squares.means(), prompts.size(), images, tokens);
    }

    /** Token embeddings of a prompt, {@code [tokens, hidden]}, with image tokens in the places of placeholders. */
    private static float[] embeddings(LlavaModel network, CpuLlamaModel languageModel, CalibrationPrompts.One prompt) {
        int width = languageModel.config().hiddenSize();
        ImagePreparation preparation = network.config().imagePreparation();
        List<PreparedImage> images = prompt.images().stream()
                .map(image -> preparation.prepare(image.get()))
                .toList();
        int length = network.config().splicedLength(prompt.ids(), images);
        int positions = languageModel.config().maxPositionEmbeddings();
        if (length > positions) {
            throw new DataException("%s has %d tokens, image tokens included, but the model reads %d; shorten it"
                    .formatted(prompt.where(), length, positions));
        }
        float[] all = new float[length * width];
        int at = 0;
        int image = 0;
        for (int id : prompt.ids()) {
            float[] next =
                    id == Prompt.IMAGE_TOKEN_INDEX ? encoded(network, images.get(image++)) : languageModel.embed(id);
            System.arraycopy(next, 0, all, at, next.length);
            at += next.length;
        }
        return all;
    }

    private static float[] encoded(LlavaModel network, PreparedImage image) {
        return Objects.requireNonNull(new ImageEncoding(CpuImageEncoder.of(network), image).advance(Long.MAX_VALUE));
    }
}
