package io.llava4j.app.bench;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.generate.ModelLoader;
import io.llava4j.generate.schedule.LogProbabilities;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.RgbImage;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.model.cpu.ImageEncoding;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How far storage types of weights move a model's predictions from those of a reference. */
public final class FidelityBench {
    private FidelityBench() {}

    /** Questions in the words of LLaVA's training data, with the kinds of answers that it has. */
    private static final List<String> QUESTIONS = List.of(
            "What is in this image?",
            "How many things are there?\nAnswer the question using a single word or phrase.",
            "Describe the image concisely.",
            "Is there a dog in the image? Answer yes or no.",
            "What color is the largest thing, and where is it?");

    /**
     * Differences from the reference over all positions of all prompts, image tokens included.
     *
     * @param divergence mean Kullback-Leibler divergence of the next token's distribution, in nats
     * @param agreement share of positions with the same likeliest token
     * @param largest difference of a logit
     * @param positions that were compared
     */
    public record Difference(double divergence, double agreement, double largest, int positions) {}

    /**
     * Compares and prints a table.
     *
     * @param reference model whose predictions count as right
     * @param types to store its language model in
     * @param imageTypes to store its vision tower and projector in
     * @param others further models to compare, of the same shape and vocabulary
     * @param images asked about with each question; none for questions without images
     */
    public static void run(
            PrintWriter out,
            Path reference,
            List<Precision> types,
            List<Precision> imageTypes,
            List<Path> others,
            List<RgbImage> images) {
        List<float[]> expected;
        List<float[]> expectedTokens;
        SentencePieceTokenizer tokenizer;
        int vocabulary;
        ModelLoader.Loaded loaded = ModelLoader.load(reference, "cpu");
        try (LlavaModel model = loaded.model()) {
            tokenizer = loaded.tokenizer().get();
            vocabulary = model.config().text().vocabSize();
            expected = logits(model, tokenizer, images);
            expectedTokens = imageTokens(model, images);
            out.printf(
                    Locale.ROOT,
                    "reference %s, %.1f MB of language model; %d prompts%n",
                    reference,
                    megabytes(model),
                    expected.size());
        }
        out.printf(
                Locale.ROOT,
                "%-24s %10s %14s %12s %14s%n",
                "weights",
                "MB",
                "mean KL, nats",
                "same top 1",
                "largest error");
        for (Precision type : types) {
            try (LlavaModel model = ModelLoader.loadAs(reference, type).model()) {
                print(out, type.name(), model, difference(expected, logits(model, tokenizer, images), vocabulary));
            }
        }
        for (Precision type : imageTypes) {
            try (LlavaModel model =
                    ModelLoader.loadImageEncoderAs(reference, type).model()) {
                String name = "tower, projector " + type;
                print(out, name, model, difference(expected, logits(model, tokenizer, images), vocabulary));
                ImageDifference tokens = imageDifference(
                        expectedTokens,
                        imageTokens(model, images),
                        model.config().text().hiddenSize());
                out.printf(
                        Locale.ROOT,
                        "  %.1f MB of tower and projector; image tokens: relative error %.2e, cosine %.6f on average and"
                                + " %.6f at least%n",
                        CpuImageEncoder.of(model).bytes() / 1e6,
                        tokens.relative(),
                        tokens.cosine(),
                        tokens.leastCosine());
                out.flush();
            }
        }
        for (Path other : others) {
            try (LlavaModel model = ModelLoader.load(other, "cpu").model()) {
                if (model.config().text().vocabSize() != vocabulary) {
                    throw new ConfigException(
                            "%s has a vocabulary of %d, %s one of %d; compare models of one vocabulary"
                                    .formatted(other, model.config().text().vocabSize(), reference, vocabulary));
                }
                String name = String.valueOf(other.getFileName());
                print(out, name, model, difference(expected, logits(model, tokenizer, images), vocabulary));
            }
        }
    }

    private static void print(PrintWriter out, String name, LlavaModel model, Difference difference) {
        out.printf(
                Locale.ROOT,
                "%-24s %10.1f %14.2e %11.2f%% %14.2e%n",
                name,
                megabytes(model),
                difference.divergence(),
                100 * difference.agreement(),
                difference.largest());
        out.flush();
    }

    private static double megabytes(LlavaModel model) {
        return model.languageModel() instanceof CpuLlamaModel cpu ? cpu.bytes() / 1e6 : 0;
    }

    private static List<float[]> logits(LlavaModel model, SentencePieceTokenizer tokenizer, List<RgbImage> images) {
        PromptBuilder prompts = new PromptBuilder(tokenizer, model.config().conversationTemplate());
        ImagePreparation preparation = model.config().imagePreparation();
        List<float[]> logits = new ArrayList<>();
        for (String question : QUESTIONS) {
            if (images.isEmpty()) {
                logits.add(logits(model, prompts, question, null));
            }
            for (RgbImage image : images) {
                logits.add(logits(model, prompts, "<image>\n" + question, preparation.prepare(image)));
            }
        }
        return logits;
    }

    private static List<float[]> imageTokens(LlavaModel model, List<RgbImage> images) {
        ImagePreparation preparation = model.config().imagePreparation();
        return images.stream()
                .map(image ->
                        Objects.requireNonNull(new ImageEncoding(CpuImageEncoder.of(model), preparation.prepare(image))
                                .advance(Long.MAX_VALUE)))
                .toList();
    }

    private static float[] logits(
            LlavaModel model, PromptBuilder prompts, String question, @Nullable PreparedImage image) {
        int[] ids = prompts.inference(List.of(Turn.human(question))).ids();
        return Engine.inference("bench fidelity", () -> {
            LlavaModel.Output output =
                    model.forward(ModelInput.of(List.of(ids), null, image == null ? List.of() : List.of(image)));
            return Tensors.toFloats(model.languageModel().logits(output.hidden()));
        });
    }

    /**
     * Compares logits.
     *
     * @param expected {@code [positions, vocabulary]} of each prompt
     * @param actual of the same prompts
     */
    static Difference difference(List<float[]> expected, List<float[]> actual, int vocabulary) {
        double divergence = 0;
        double largest = 0;
        int same = 0;
        int positions = 0;
        for (int prompt = 0; prompt < expected.size(); prompt++) {
            float[] p = expected.get(prompt);
            float[] q = actual.get(prompt);
            for (int from = 0; from < p.length; from += vocabulary) {
                double pSum = LogProbabilities.logSumExp(p, from, vocabulary);
                double qSum = LogProbabilities.logSumExp(q, from, vocabulary);
                int best = from;
                int other = from;
                for (int i = from; i < from + vocabulary; i++) {
                    double logP = p[i] - pSum;
                    divergence += Math.exp(logP) * (logP - (q[i] - qSum));
                    largest = Math.max(largest, Math.abs((double) p[i] - q[i]));
                    best = p[i] > p[best] ? i : best;
                    other = q[i] > q[other] ? i : other;
                }
                same += best == other ? 1 : 0;
                positions++;
            }
        }
        return new Difference(divergence / positions, (double) same / positions, largest, positions);
    }

    /**
     * Differences of image tokens from the reference.
     *
     * @param relative length of all differences by the length of all tokens
     * @param cosine of a token and the reference's, on average
     * @param leastCosine the smallest of them
     */
    record ImageDifference(double relative, double cosine, double leastCosine) {}

    /**
     * Compares image tokens.
     *
     * @param expected {@code [tokens, width]} of each image
     * @param actual of the same images
     */
    static ImageDifference imageDifference(List<float[]> expected, List<float[]> actual, int width) {
        double errors = 0;
        double lengths = 0;
        double cosines = 0;
        double least = 1;
        int tokens = 0;
        for (int image = 0; image < expected.size(); image++) {
            float[] p = expected.get(image);
            float[] q = actual.get(image);
            for (int from = 0; from < p.length; from += width) {
                double pp = 0;
                double qq = 0;
                double pq = 0;
                for (int i = from; i < from + width; i++) {
                    pp += (double) p[i] * p[i];
                    qq += (double) q[i] * q[i];
                    pq += (double) p[i] * q[i];
                    errors += ((double) p[i] - q[i]) * ((double) p[i] - q[i]);
                }
                lengths += pp;
                double cosine = pq / Math.sqrt(pp * qq);
                cosines += cosine;
                least = Math.min(least, cosine);
                tokens++;
            }
        }
        return new ImageDifference(Math.sqrt(errors / lengths), cosines / tokens, least);
    }
}
