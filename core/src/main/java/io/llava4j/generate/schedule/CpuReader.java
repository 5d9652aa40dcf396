package io.llava4j.generate.schedule;

import io.llava4j.LlavaException;
import io.llava4j.generate.schedule.cache.ImageTokenCache;
import io.llava4j.generate.schedule.cache.KvPrefixCache;
import io.llava4j.generate.schedule.cache.LeastRecentlyUsed;
import io.llava4j.io.MachineMemory;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.model.cpu.ImageEncoding;
import io.llava4j.model.cpu.KvContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Reads all sequences at once with the CPU kernels. A step takes one token of each answer that is being written and a bounded
 * number of tokens of the prompts behind them, first come, first served; in between, an image goes some blocks further through the vision
 * tower. None of this changes a result: the kernels treat every row alike, and a context has the same bits however it was read.
 */
final class CpuReader implements SequenceReader {
    /** Tokens of prompts that a step reads where no answer is being written: one pass of the language model. */
    private static final int PROMPT_TOKENS = TextConfig.TOKENS_PER_PASS;

    /** Tokens of prompts beside answers, which wait for them. */
    private static final int PROMPT_TOKENS_BESIDE = 128;

    private final CpuImageEncoder encoder;
    private final CpuLlamaModel languageModel;
    private final boolean shares;
    private final long cacheBytes;
    private final LongSupplier memory;
    private final Map<Request, CpuSequence> sequences = new LinkedHashMap<>();
    private final KvPrefixCache prefixes = new KvPrefixCache();
    private final ImageTokenCache images = new ImageTokenCache();
    private final LeastRecentlyUsed caches = new LeastRecentlyUsed(prefixes, images);
    private SplicedPrompt.@Nullable Placed encoded;
    private @Nullable ImageEncoding encoding;
    private long clock;
    private long encodedImages;
    private long cachedImages;
    private volatile long room;
    private volatile long cached;

    /**
     * @param shares whether what two prompts have in common is read once
     * @param memory that is available on this machine now
     */
    CpuReader(LlavaModel model, CpuLlamaModel languageModel, boolean shares, long cacheBytes, LongSupplier memory) {
        this.encoder = CpuImageEncoder.of(model);
        this.languageModel = languageModel;
        this.shares = shares;
        this.cacheBytes = shares ? cacheBytes : 0;
        this.memory = memory;
    }

    /** A snapshot of the decoding thread says what there would be without the others; what is free now is at least there. */
    @Override
    public void requireRoom(Request request) {
        requireRoom(request, Math.max(room, memory.getAsLong() + cached));
    }

    private void requireRoom(Request request, long available) {
        long needed = needed(request);
        if (needed > available) {
            throw new LlavaException(String.format(
                    Locale.ROOT,
                    "keys and values of this conversation need %.1f GB of memory, but %.1f GB are available; use a"
                            + " lower --max-new-tokens or a shorter prompt",
                    needed / 1e9,
                    available / 1e9));
        }
    }

    @Override
    public boolean admits(Request request) {
        long taken = 0;
        long promised = 0;
        for (CpuSequence sequence : sequences.values()) {
            long own = sequence.bytes();
            taken += own;
            promised += Math.max(0, needed(sequence.request()) - own);
        }
        long free = memory.getAsLong();
        room = free + taken + caches.bytes();
        requireRoom(request, room);
        long lacking = needed(request) - (free - promised);
        if (lacking > 0) {
            long before = caches.bytes();
            caches.shrink(before - lacking);
            lacking -= before - caches.bytes();
        }
        return lacking <= 0;
    }

    /** Its own pages, and the copy of one that it may share. */
    private long needed(Request request) {
        return languageModel.cacheBytes(request.reservedTokens()) + languageModel.cacheBytes(1);
    }

    @Override
    public void start(Request request) {
        sequences.put(request, new CpuSequence(request));
    }

    @Override
    public Map<Request, NextLogits> step(Map<Request, RuntimeException> failures) {
        clock++;
        sequences.values().forEach(CpuSequence::dropWrongGuesses);
        begin();
        findImages();
        Set<Object> encodingGroups = groups(sequence -> missing(sequence) != null);
        Set<Object> readingGroups = groups(sequence -> !sequence.isPromptRead());
        List<CpuSequence> read = new ArrayList<>();
        List<CpuLlamaModel.Chunk> chunks = new ArrayList<>();
        int guesses = Scheduler.MAX_GUESSES;
        for (CpuSequence sequence : sequences.values()) {
            if (sequence.isPromptRead()
                    && !readingGroups.contains(sequence.request().group())) {
                read.add(sequence);
                chunks.add(sequence.answerChunk(guesses, languageModel));
                guesses -= sequence.guesses().length;
            }
        }
        int left = chunks.isEmpty() ? PROMPT_TOKENS : PROMPT_TOKENS_BESIDE;
        for (CpuSequence sequence : sequences.values()) {
            if (left > 0
                    && sequence.hasBegun()
                    && !sequence.isPromptRead()
                    && sequence.missingImage() == null
                    && !encodingGroups.contains(sequence.request().group())) {
                int tokens = Math.min(left, sequence.prompt().length() - sequence.length());
                read.add(sequence);
                chunks.add(sequence.promptChunk(tokens, languageModel));
                left -= tokens;
            }
        }
        long start = System.nanoTime();
        float[] logits = chunks.isEmpty() ? new float[0] : languageModel.read(chunks);
        encode(chunks.isEmpty() ? Long.MAX_VALUE : System.nanoTime() - start, failures);
        shrinkCaches();
        return complete(read, logits);
    }

    private Map<Request, NextLogits> complete(List<CpuSequence> read, float[] logits) {
        Map<Request, NextLogits> complete = new LinkedHashMap<>();
        int vocabulary = languageModel.config().vocabSize();
        int from = 0;
        for (CpuSequence sequence : read) {
            if (sequence.isPromptRead()) {
                float[][] rows = new float[1 + sequence.guesses().length][];
                for (int i = 0; i < rows.length; i++) {
                    rows[i] = Arrays.copyOfRange(logits, from, from + vocabulary);
                    from += vocabulary;
                }
                complete.put(sequence.request(), new NextLogits(sequence.guesses(), rows));
            }
        }
        return complete;
    }

    /** Groups of requests that one of their sequences holds back. */
    private Set<Object> groups(Predicate<CpuSequence> holdsBack) {
        Set<Object> groups = new HashSet<>();
        for (CpuSequence sequence : sequences.values()) {
            Object group = sequence.request().group();
            if (group != null && holdsBack.test(sequence)) {
                groups.add(group);
            }
        }
        return groups;
    }

    /** Gives new sequences their contexts, unless one before them is about to read what they have in common. */
    private void begin() {
        List<CpuSequence> before = new ArrayList<>();
        for (CpuSequence sequence : sequences.values()) {
            if (!sequence.hasBegun()) {
                begin(sequence, before);
            }
            before.add(sequence);
        }
    }

    private void begin(CpuSequence sequence, Collection<CpuSequence> before) {
        if (!shares) {
            sequence.begin(languageModel.open());
            return;
        }
        long[] keys = sequence.prompt().keys();
        int cached = prefixes.shared(keys, keys.length - 1);
        int readNow = 0;
        int readSoon = 0;
        CpuSequence original = sequence;
        for (CpuSequence other : before) {
            int shared = sequence.prompt().sharedPrefix(other.prompt());
            readSoon = Math.max(readSoon, shared);
            if (Math.min(shared, other.length()) > readNow) {
                readNow = Math.min(shared, other.length());
                original = other;
            }
        }
        if (readSoon > Math.max(readNow, cached)) {
            return;
        }
        KvContext running = original.context();
        KvContext context = readNow > cached && running != null
                ? running.fork(readNow)
                : prefixes.fork(keys, keys.length - 1, clock);
        sequence.begin(context == null ? languageModel.open() : context);
    }

    /** Gives sequences the image tokens that are known. */
    private void findImages() {
        for (CpuSequence sequence : sequences.values()) {
            for (var image = missing(sequence); image != null; image = missing(sequence)) {
                float[] tokens = images.get(image.digest(), clock);
                if (tokens == null) {
                    break;
                }
                cachedImages++;
                sequence.know(image.digest(), tokens);
            }
        }
    }

    private static SplicedPrompt.@Nullable Placed missing(CpuSequence sequence) {
        return sequence.hasBegun() ? sequence.missingImage() : null;
    }

    /** Encodes the image that the first sequence waits for, for that long. */
    private void encode(long nanos, Map<Request, RuntimeException> failures) {
        CpuSequence first = waitingForImage();
        SplicedPrompt.Placed image = first == null ? null : missing(first);
        if (first == null || image == null) {
            endEncoding();
            return;
        }
        if (encoding == null || encoded == null || !encoded.digest().equals(image.digest())) {
            encoding = new ImageEncoding(encoder, image.image());
            encoded = image;
        }
        try {
            float[] tokens = encoding.advance(nanos);
            if (tokens != null) {
                encodedImages++;
                for (CpuSequence sequence : sequences.values()) {
                    sequence.know(image.digest(), tokens);
                }
                if (cacheBytes > 0) {
                    images.put(image.digest(), tokens, clock);
                }
                endEncoding();
            }
        } catch (RuntimeException e) {
            endEncoding();
            failures.put(first.request(), e);
        }
    }

    private @Nullable CpuSequence waitingForImage() {
        return sequences.values().stream()
                .filter(sequence -> missing(sequence) != null)
                .findFirst()
                .orElse(null);
    }

    /** Buffers of the vision tower are kept for the next image only if it waits already: the prompts need memory now. */
    private void endEncoding() {
        if (encoding != null) {
            encoding = null;
            encoded = null;
            if (waitingForImage() == null) {
                encoder.freeBuffers();
            }
        }
    }

    private void shrinkCaches() {
        caches.shrink(cacheBytes);
        cached = caches.bytes();
    }

    @Override
    public void end(Request request, boolean keepsContext) {
        CpuSequence sequence = sequences.remove(request);
        KvContext context = sequence == null ? null : sequence.context();
        if (sequence != null && context != null) {
            sequence.dropWrongGuesses();
            if (keepsContext && cacheBytes > 0) {
                prefixes.put(sequence.keys(context.length()), context, clock);
                shrinkCaches();
            } else {
                context.close();
            }
        }
    }

    @Override
    public void count(Counters counters) {
        counters.encodedImages = encodedImages;
        counters.cachedImages = cachedImages;
        counters.cacheBytes = caches.bytes();
        counters.evictions = caches.evictions();
    }

    @Override
    public void close() {
        for (CpuSequence sequence : sequences.values()) {
            KvContext context = sequence.context();
            if (context != null) {
                context.close();
            }
        }
        sequences.clear();
        prefixes.close();
    }

    /** What the machine has left. */
    static long availableMemory() {
        return MachineMemory.read().available();
    }
}
