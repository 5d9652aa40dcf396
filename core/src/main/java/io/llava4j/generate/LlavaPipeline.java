package io.llava4j.generate;

import io.llava4j.DataException;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.image.ImageProcessor;
import io.llava4j.image.RgbImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The one class an embedder needs: a model directory in, answers about images out.
 *
 * <pre>{@code
 * try (LlavaPipeline llava = LlavaPipeline.open(Path.of("runs/demo/model"))) {
 *     RgbImage image = ImageDecoder.decode(Path.of("cat.jpg"));
 *     ChatRequest request = new ChatRequest(List.of(Turn.human("<image>\nWhat is this?")), List.of(image));
 *     List<String> answers = llava.answer(List.of(request), GenerationOptions.greedy(128));
 * }
 * }</pre>
 *
 * Not thread-safe: one call at a time.
 */
public final class LlavaPipeline implements ChatModel, StreamingChatModel, AutoCloseable {
    private final LlavaModel model;
    private final Generator generator;
    private final SentencePieceTokenizer tokenizer;
    private final PromptBuilder prompts;
    private final Set<Integer> stopIds;
    private final ImageProcessor processor;

    /**
     * How a pipeline asks its model.
     *
     * @param template how a conversation is written out; null for the one in the model's configuration
     * @param sharesPrefixes whether prefixes that prompts of a batch share are read once; changes the speed, not the
     *     answers
     */
    public record Settings(@Nullable ConversationTemplate template, boolean sharesPrefixes) {
        /** The model's own template; shared prefixes are read once. */
        public static final Settings DEFAULT = new Settings(null, true);
    }

    /** A pipeline with {@link Settings#DEFAULT} on a loaded model, which {@link #close} closes. */
    public LlavaPipeline(LlavaModel model, SentencePieceTokenizer tokenizer) {
        this(model, tokenizer, Settings.DEFAULT);
    }

    /** A pipeline on a loaded model, which {@link #close} closes. */
    public LlavaPipeline(LlavaModel model, SentencePieceTokenizer tokenizer, Settings settings) {
        this.model = model;
        this.generator = new Generator(model, settings.sharesPrefixes());
        this.tokenizer = tokenizer;
        this.stopIds = new HashSet<>(model.config().text().eosTokenIds());
        stopIds.add(tokenizer.eosId());
        this.prompts = new PromptBuilder(
                tokenizer,
                Objects.requireNonNullElse(settings.template(), model.config().conversationTemplate()));
        this.processor = model.config().vision().imageProcessor(model.config().aspectMode());
    }

    /** Loads a model directory of any supported layout on the CPU. */
    public static LlavaPipeline open(Path directory) {
        return open(directory, "cpu");
    }

    /** Loads a model directory of any supported layout on a device ({@code cpu}, {@code cuda:N}). */
    public static LlavaPipeline open(Path directory, String device) {
        return open(directory, device, Settings.DEFAULT);
    }

    /** {@link #open(Path, String)} with settings of its own. */
    public static LlavaPipeline open(Path directory, String device, Settings settings) {
        return open(directory, device, settings, ModelParts.FOUND);
    }

    /** {@link #open(Path, String, Settings)} with parts that are stored separately from the model. */
    public static LlavaPipeline open(Path directory, String device, Settings settings, ModelParts parts) {
        ModelLoader.Loaded loaded = ModelLoader.load(directory, device, parts);
        return new LlavaPipeline(loaded.model(), loaded.tokenizer().get(), settings);
    }

    /** The network that answers. */
    public LlavaModel model() {
        return model;
    }

    /** What decodes, for its statistics. */
    public Generator generator() {
        return generator;
    }

    /** Turns text into the model's token ids and back. */
    public SentencePieceTokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public List<String> answer(List<ChatRequest> requests, GenerationOptions options) {
        List<int[]> ids = new ArrayList<>();
        List<float[]> pixels = new ArrayList<>();
        Map<RgbImage, float[]> processed = new IdentityHashMap<>();
        for (ChatRequest request : requests) {
            ids.add(ids(request));
            for (RgbImage image : request.images()) {
                pixels.add(processed.computeIfAbsent(image, processor::process));
            }
        }
        List<AnswerText> answers =
                requests.stream().map(request -> answerText(options)).toList();
        generator.generate(ids, pixels, options, stopIds, (sequence, id) -> {
            answers.get(sequence).accept(id);
            return !answers.get(sequence).isStopped();
        });
        answers.forEach(AnswerText::finish);
        return answers.stream().map(AnswerText::toString).toList();
    }

    @Override
    public ChatResponse stream(ChatRequest request, GenerationOptions options, Predicate<String> onText) {
        AnswerText answer = answerText(options);
        boolean[] wanted = {true};
        int[] prompt = ids(request);
        List<int[]> answers = generator.generate(
                List.of(prompt),
                request.images().stream().map(processor::process).toList(),
                options,
                stopIds,
                (sequence, id) -> {
                    String text = answer.accept(id);
                    wanted[0] = text.isEmpty() || onText.test(text);
                    return wanted[0] && !answer.isStopped();
                });
        int[] chosen = answers.getFirst();
        if (wanted[0]) {
            String last = answer.finish();
            wanted[0] = last.isEmpty() || onText.test(last);
        }
        FinishReason finish;
        if (!wanted[0]) {
            finish = FinishReason.CANCELLED;
        } else if (answer.isStopped() || chosen.length > 0 && stopIds.contains(chosen[chosen.length - 1])) {
            finish = FinishReason.STOP;
        } else {
            finish = chosen.length < options.maxNewTokens() ? FinishReason.CONTEXT : FinishReason.MAX_NEW_TOKENS;
        }
        return new ChatResponse(
                answer.toString(),
                chosen.length,
                finish,
                model.config().splicedLength(prompt),
                request.images().size() * model.config().tokensPerImage());
    }

    private AnswerText answerText(GenerationOptions options) {
        return new AnswerText(tokenizer.streamDecoder(true), options.stop());
    }

    /** Images are counted for each request: in a batch, one too many here could hide one too few there. */
    private int[] ids(ChatRequest request) {
        Prompt prompt = prompts.inference(request.turns());
        if (prompt.imageCount() != request.images().size()) {
            throw new DataException("a request has " + prompt.imageCount() + " <image> placeholders for "
                    + request.images().size() + " images; write one <image> for each");
        }
        // The splice would truncate it as the reference does, and the question at its end would be lost.
        int length = model.config().splicedLength(prompt.ids());
        int limit = model.config().maxSequenceLength();
        if (limit > 0 && length > limit) {
            throw new DataException("the prompt has " + length + " tokens, image tokens included, but the model reads "
                    + limit + "; shorten the conversation");
        }
        return prompt.ids();
    }

    @Override
    public void close() {
        generator.close();
        model.close();
    }
}
