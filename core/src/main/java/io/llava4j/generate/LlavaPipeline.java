package io.llava4j.generate;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.generate.constrain.TokenTrie;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.generate.schedule.SchedulerStats;
import io.llava4j.generate.schedule.Ticket;
import io.llava4j.generate.schedule.Work;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.generate.session.ImagePrompts;
import io.llava4j.image.RgbImage;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
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
 * <p>Thread-safe: many threads may ask, and their answers are decoded together, each as it would be alone. A language model on a
 * GPU answers one request after another, and a batch at once.
 */
public final class LlavaPipeline implements ChatModel, StreamingChatModel, AutoCloseable {
    private final LlavaModel model;
    private final TensorAnswers tensorAnswers;
    private final Scheduler scheduler;
    private final SentencePieceTokenizer tokenizer;
    private final ImagePrompts prompts;
    private final Set<Integer> stopIds;
    private final int promptLookup;
    private @Nullable TokenTrie tokenTrie;

    /**
     * How a pipeline asks its model.
     *
     * @param template how a conversation is written out; null for the one in the model's configuration
     * @param sharesPrefixes whether prefixes that prompts of a batch share are read once; changes the speed, not the
     *     answers
     * @param limits how many are answered at once, and what is kept for later ones
     * @param promptLookup most tokens that are guessed at a time from what prompt and answer say, on the CPU; changes the speed,
     *     not the answers; 0 for none
     */
    public record Settings(
            @Nullable ConversationTemplate template,
            boolean sharesPrefixes,
            Scheduler.Limits limits,
            int promptLookup) {
        /** Longest guess of prompt lookup. */
        public static final int MAX_PROMPT_LOOKUP = Scheduler.MAX_GUESSES;

        /** The model's own template; shared prefixes are read once. */
        public static final Settings DEFAULT = new Settings(null, true);

        /** @throws ConfigException if prompt lookup is out of range */
        public Settings {
            if (promptLookup < 0 || promptLookup > MAX_PROMPT_LOOKUP) {
                throw new ConfigException(
                        "prompt-lookup must be from 0 to %d, not %d".formatted(MAX_PROMPT_LOOKUP, promptLookup));
            }
        }

        /** Settings with {@link Scheduler.Limits#DEFAULT}. */
        public Settings(@Nullable ConversationTemplate template, boolean sharesPrefixes) {
            this(template, sharesPrefixes, Scheduler.Limits.DEFAULT);
        }

        /** Settings without prompt lookup. */
        public Settings(@Nullable ConversationTemplate template, boolean sharesPrefixes, Scheduler.Limits limits) {
            this(template, sharesPrefixes, limits, 0);
        }
    }

    /** A pipeline with {@link Settings#DEFAULT} on a loaded model, which {@link #close} closes. */
    public LlavaPipeline(LlavaModel model, SentencePieceTokenizer tokenizer) {
        this(model, tokenizer, Settings.DEFAULT);
    }

    /** A pipeline on a loaded model, which {@link #close} closes. */
    public LlavaPipeline(LlavaModel model, SentencePieceTokenizer tokenizer, Settings settings) {
        this.model = model;
        this.tensorAnswers = new TensorAnswers(model, settings.sharesPrefixes());
        this.scheduler = new Scheduler(model, settings.limits(), settings.sharesPrefixes());
        this.promptLookup = settings.promptLookup();
        this.tokenizer = tokenizer;
        this.stopIds = new HashSet<>(model.config().text().eosTokenIds());
        stopIds.add(tokenizer.eosId());
        this.prompts = new ImagePrompts(
                model.config(),
                tokenizer,
                Objects.requireNonNullElse(settings.template(), model.config().conversationTemplate()));
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
        return of(directory, ModelLoader.load(directory, device, parts), settings);
    }

    /**
     * A pipeline on a model that was loaded from a directory or file; {@link #close} closes it.
     *
     * @param directory it was loaded from; warnings name it
     */
    public static LlavaPipeline of(Path directory, ModelLoader.Loaded loaded, Settings settings) {
        UnusedSettings.warn(
                directory, settings.template(), loaded.model().config().conversationTemplate());
        return new LlavaPipeline(loaded.model(), loaded.tokenizer().get(), settings);
    }

    /** The network that answers. */
    public LlavaModel model() {
        return model;
    }

    /** Turns text into the model's token ids and back. */
    public SentencePieceTokenizer tokenizer() {
        return tokenizer;
    }

    /** Ids of the tokens that end an answer. */
    public Set<Integer> stopIds() {
        return Set.copyOf(stopIds);
    }

    @Override
    public List<String> answer(List<ChatRequest> requests, GenerationOptions options) {
        return finishedAnswers(requests, options).stream().map(Answer::text).toList();
    }

    @Override
    public List<Answer> finishedAnswers(List<ChatRequest> requests, GenerationOptions options) {
        Map<RgbImage, PreparedImage> processed = new IdentityHashMap<>();
        List<ImagePrompt> asked = new ArrayList<>();
        for (ChatRequest request : requests) {
            List<PreparedImage> images = new ArrayList<>();
            int[] ids = ids(request);
            request.images().forEach(image -> images.add(processed.computeIfAbsent(image, prompts::prepare)));
            asked.add(new ImagePrompt(ids, images));
        }
        return model.languageModel() instanceof CpuLlamaModel
                ? scheduled(asked, options)
                : tensorAnswers.answer(
                        asked, asked.stream().map(prompt -> answerText(options)).toList(), options, stopIds);
    }

    private List<Answer> scheduled(List<ImagePrompt> asked, GenerationOptions options) {
        AnswerOptions plain = AnswerOptions.of(options);
        List<RunningAnswer> running = asked.stream()
                .map(prompt -> new RunningAnswer(answerText(options)))
                .toList();
        List<Ticket> tickets = scheduler.submit(
                asked.stream().map(prompt -> work(prompt, plain)).toList(),
                running.stream().map(RunningAnswer::listener).toList());
        for (int i = 0; i < running.size(); i++) {
            running.get(i).accepted(tickets.get(i));
        }
        try {
            List<Answer> answers = new ArrayList<>();
            for (RunningAnswer answer : running) {
                ChatResponse response = answer.await();
                answers.add(new Answer(response.text(), response.finish()));
            }
            return answers;
        } finally {
            running.forEach(RunningAnswer::close);
        }
    }

    @Override
    public void check(ChatRequest request) {
        ids(request);
    }

    @Override
    public ChatResponse stream(ChatRequest request, GenerationOptions options, Predicate<String> onText) {
        return stream(request, AnswerOptions.of(options), onText);
    }

    /** {@link #stream(ChatRequest, GenerationOptions, Predicate)} with a constraint. */
    public ChatResponse stream(ChatRequest request, AnswerOptions options, Predicate<String> onText) {
        try (RunningAnswer answer = start(request, options)) {
            for (RunningAnswer.Piece piece = answer.next(); piece != null; piece = answer.next()) {
                if (!piece.text().isEmpty() && !onText.test(piece.text())) {
                    answer.cancel();
                }
            }
            return answer.response();
        }
    }

    /**
     * Begins to answer a request beside those of other threads.
     *
     * @throws DataException if the request cannot be answered
     * @throws io.llava4j.generate.schedule.OverloadedException if too many requests wait
     */
    public RunningAnswer start(ChatRequest request, AnswerOptions options) {
        List<Supplier<RgbImage>> images = new ArrayList<>();
        request.images().forEach(image -> images.add(() -> image));
        return start(prompt(request.system(), request.turns(), images), options);
    }

    /** {@link #start(ChatRequest, AnswerOptions)} with a prompt of {@link #prompt} or {@link #completion}. */
    public RunningAnswer start(ImagePrompt prompt, AnswerOptions options) {
        RunningAnswer answer = new RunningAnswer(answerText(options.decoding()));
        answer.accepted(scheduler.submit(work(prompt, options), answer.listener()));
        return answer;
    }

    private Work work(ImagePrompt prompt, AnswerOptions options) {
        GenerationOptions decoding = options.decoding();
        return new Work(
                prompt,
                decoding.maxNewTokens(),
                stopIds,
                new Sampler(decoding)::sample,
                options.constraint() == null ? null : options.constraint().start(tokenTrie()),
                options.topLogprobs(),
                promptLookup);
    }

    /** Built when the first constrained answer is asked for. */
    private synchronized TokenTrie tokenTrie() {
        if (tokenTrie == null) {
            tokenTrie = TokenTrie.of(tokenizer, stopIds);
        }
        return tokenTrie;
    }

    /** Numbers about the requests so far. */
    public SchedulerStats stats() {
        return scheduler.stats();
    }

    /**
     * Refuses a request, before its images are decoded, that would find the queue full.
     *
     * @param arriving requests whose images are being decoded
     * @throws io.llava4j.generate.schedule.OverloadedException if too many requests wait
     */
    public void requireRoom(int arriving) {
        scheduler.requireRoom(arriving);
    }

    /**
     * What the model reads of a conversation: the template's text as token ids, and normalised images. Images are decoded one
     * after another, and none before the conversation is known to fit.
     *
     * @param system prompt; empty for the template's own
     * @param images one for each placeholder
     * @throws DataException if placeholders and images do not match in number, or the conversation is too long or malformed
     */
    public ImagePrompt prompt(String system, List<Turn> turns, List<Supplier<RgbImage>> images) {
        return prompts.conversation(system, turns, images);
    }

    /** What the model reads of a text without a template, which it is to continue; BOS first, {@code <image>} for each image. */
    public ImagePrompt completion(String text, List<Supplier<RgbImage>> images) {
        return prompts.completion(text, images);
    }

    /** Tokens of a prompt, image tokens included. */
    public int promptTokens(ImagePrompt prompt) {
        return prompt.length(model.config());
    }

    /**
     * Tokens of the prompt of a conversation, image tokens included: {@link #prompt} without its images, for a model whose images
     * all have the same number of tokens.
     *
     * @param images their number
     * @throws DataException as {@link #prompt}
     */
    public int promptTokens(String system, List<Turn> turns, int images) {
        return prompts.ids(system, turns, images).length
                + images * (model.config().tokensPerImage() - 1);
    }

    private AnswerText answerText(GenerationOptions options) {
        return new AnswerText(tokenizer.streamDecoder(true), options.stop());
    }

    private int[] ids(ChatRequest request) {
        return prompts.ids(request.system(), request.turns(), request.images().size());
    }

    @Override
    public void close() {
        scheduler.close();
        model.close();
    }
}
