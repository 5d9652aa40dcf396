package io.llava4j.generate;

import io.llava4j.DataException;
import io.llava4j.model.LlavaModel;
import io.llava4j.tensor.Engine;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decodes answers: a prefill of the spliced prompts, then a token at a time with the KV cache (docs/reference/model.md#generation).
 * SharedPrefixes that prompts of a batch share, up to and with an image, are read once.
 *
 * <p><b>A greedy answer does not depend on its batch.</b> No padding is ever seen by attention and rows do not mix, so
 * batches and shared beginnings can differ from a prompt on its own in rounding only: matrix products of another shape add
 * in another order. Rounding changes a token only where the two best are closer than it. Such a token is not believed:
 * its row leaves the batch and is decoded again on its own, as a batch of one is, which gives exactly the logits the prompt
 * has alone. What counts as close is {@value #LEAST_ERROR} of the largest logit, or {@value #CAUTION} times the largest
 * error seen, whichever is more; the first row of a generator's first batch and every row that is decoded again measure
 * that error. Drawn tokens (temperature above 0) are not checked.
 */
public final class Generator {
    /** Far above the rounding of 32-bit floats, 6e-8 each, of which some hundred in a row add up. */
    static final double LEAST_ERROR = 1e-4;

    /** How much larger an error than those seen is reckoned with. */
    static final double CAUTION = 32;

    /** Watches and may stop a generation. */
    public interface Observer {
        /**
         * Logits from which a step's tokens are chosen.
         *
         * @param step from 0
         * @param logits {@code [batch, vocab]} row-major; a row that has ended keeps its last
         */
        default void logits(int step, float[] logits) {}

        /**
         * A token was chosen.
         *
         * @return false to end this row
         */
        default boolean token(int row, int id) {
            return true;
        }
    }

    private final LlavaModel model;
    private final boolean sharing;
    private double largestError = Double.NaN;
    private long decodedAgain;

    /** @param model what answers */
    public Generator(LlavaModel model) {
        this(model, true);
    }

    /**
     * @param model what answers
     * @param sharing whether beginnings that prompts share are read once; changes the speed, not the answers
     */
    public Generator(LlavaModel model, boolean sharing) {
        this.model = model;
        this.sharing = sharing;
    }

    /** Largest difference a batch has made to a logit so far, relative to the largest logit; NaN before the first. */
    public double largestError() {
        return largestError;
    }

    /** Answers that were decoded again on their own because two tokens were too close. */
    public long decodedAgain() {
        return decodedAgain;
    }

    /**
     * Generates a batch. Prompts beyond {@code maxSequenceLength} are cut as the reference cuts them.
     *
     * @param prompts token ids of each row, with image placeholders
     * @param pixels normalised images {@code [3, size, size]} in the order of their placeholders; the same array is the
     *     same image, goes through the tower once and may be part of a shared beginning
     * @param options decoding options
     * @param stopId id that ends a row, -1 for none; it is part of the output
     * @param observer watches
     * @return new ids of each row
     */
    public List<int[]> generate(
            List<int[]> prompts, List<float[]> pixels, GenerationOptions options, int stopId, Observer observer) {
        if (prompts.isEmpty()) {
            return List.of();
        }
        List<ImagePrompt> sequences = ImagePrompt.of(prompts, pixels);
        List<Row> rows = new ArrayList<>();
        for (ImagePrompt sequence : sequences) {
            rows.add(new Row(rows.size(), sequence, options, room(sequence.ids())));
        }
        if (rows.stream().allMatch(row -> row.allowed == 0)) {
            return rows.stream().map(row -> new int[0]).toList();
        }
        return Engine.inference("generation", () -> {
            try (DecodingSession batch = new DecodingSession(model, sequences, sharedBeginnings(sequences))) {
                decode(batch, rows, stopId, observer);
                return rows.stream().map(row -> row.ids.toArray()).toList();
            } finally {
                rows.forEach(Row::close);
            }
        });
    }

    private void decode(DecodingSession batch, List<Row> rows, int stopId, Observer observer) {
        boolean exact = rows.size() == 1;
        float[][] logits = new float[rows.size()][];
        for (int step = 0; ; step++) {
            for (Row row : rows) {
                if (!row.done) {
                    logits[row.index] = exact ? row.logits(batch) : checked(row, batch);
                }
            }
            observer.logits(step, joined(logits));
            for (Row row : rows) {
                if (!row.done) {
                    int id = row.choose(logits[row.index]);
                    row.done = !observer.token(row.index, id) || id == stopId || row.ids.count >= row.allowed;
                }
            }
            if (rows.stream().allMatch(row -> row.done)) {
                return;
            }
            readOn(batch, rows);
        }
    }

    /** Logits of a row; those it has on its own where the batch's do not decide its next token beyond doubt. */
    private float[] checked(Row row, DecodingSession batch) {
        float[] together = row.logits(batch);
        if (row.alone != null || row.options.temperature() != 0) {
            return together;
        }
        boolean measured = !Double.isNaN(largestError);
        double share = measured ? Math.max(LEAST_ERROR, CAUTION * largestError) : LEAST_ERROR;
        if (measured && row.sampler.isSure(together, row.ids.toArray(), share)) {
            return together;
        }
        row.decodeAgain(model);
        float[] exact = row.logits(batch);
        largestError = Math.max(measured ? largestError : 0, error(together, exact));
        decodedAgain++;
        return exact;
    }

    private static double error(float[] logits, float[] exact) {
        double largest = 0;
        double error = 0;
        for (int id = 0; id < exact.length; id++) {
            if (Float.isFinite(exact[id])) {
                largest = Math.max(largest, Math.abs(exact[id]));
                error = Math.max(error, Math.abs(logits[id] - exact[id]));
            }
        }
        return largest == 0 ? 0 : error / largest;
    }

    private static float[] joined(float[][] logits) {
        int vocabulary = logits[0].length;
        float[] all = new float[logits.length * vocabulary];
        for (int row = 0; row < logits.length; row++) {
            System.arraycopy(logits[row], 0, all, row * vocabulary, vocabulary);
        }
        return all;
    }

    /** Rows that are done or decoded on their own leave the batch once half of it is idle. */
    private static void readOn(DecodingSession batch, List<Row> rows) {
        List<Row> open =
                rows.stream().filter(row -> row.alone == null && !row.done).toList();
        if (!open.isEmpty()) {
            if (2 * open.size() <= batch.rows()) {
                batch.keep(open.stream().mapToInt(row -> row.place).toArray());
                rows.forEach(row -> row.place = open.indexOf(row));
            }
            int[] tokens = new int[batch.rows()];
            for (Row row : rows) {
                if (row.place >= 0) {
                    tokens[row.place] = row.ids.last();
                }
            }
            batch.read(tokens);
        }
        for (Row row : rows) {
            if (row.alone != null && !row.done) {
                row.alone.read(new int[] {row.ids.last()});
            }
        }
    }

    /** SharedPrefixes worth reading apart: a second pass has to save a good part of the tokens. */
    private @Nullable SharedPrefixes sharedBeginnings(List<ImagePrompt> prompts) {
        if (!sharing || prompts.size() == 1) {
            return null;
        }
        int cut = model.config().maxSequenceLength();
        long whole = 0;
        for (ImagePrompt prompt : prompts) {
            int length = model.config().splicedLength(prompt.ids());
            if (cut > 0 && length > cut) {
                return null;
            }
            whole += length;
        }
        SharedPrefixes beginnings = SharedPrefixes.of(prompts);
        long saved = whole;
        for (ImagePrompt sequence : beginnings.sequences()) {
            if (sequence.ids().length == 0) {
                return null;
            }
            saved -= model.config().splicedLength(sequence.ids());
        }
        for (ImagePrompt rest : beginnings.rests(prompts)) {
            saved -= model.config().splicedLength(rest.ids());
        }
        return saved > whole / 8 ? beginnings : null;
    }

    /** Tokens that can follow a prompt; a row's own, so that its answer does not depend on its neighbours. */
    private int room(int[] prompt) {
        int length = model.config().splicedLength(prompt);
        int cut = model.config().maxSequenceLength();
        int read = cut > 0 ? Math.min(length, cut) : length;
        int positions = model.config().text().maxPositionEmbeddings();
        if (read >= positions) {
            throw new DataException("the prompt has " + read + " tokens, image rows included, but the model reads "
                    + (positions - 1) + "; shorten the conversation");
        }
        return positions - read;
    }

    /** An answer under way. */
    private static final class Row implements AutoCloseable {
        private final int index;
        private final ImagePrompt prompt;
        private final GenerationOptions options;
        private final Sampler sampler;
        private final int allowed;
        private final Ids ids = new Ids();
        private int place;
        private boolean done;
        private @Nullable DecodingSession alone;

        Row(int index, ImagePrompt prompt, GenerationOptions options, int room) {
            this.index = index;
            this.prompt = prompt;
            this.options = options;
            this.sampler = new Sampler(options);
            this.allowed = Math.min(options.maxNewTokens(), room);
            this.place = index;
        }

        float[] logits(DecodingSession batch) {
            return alone == null ? batch.logits(place) : alone.logits(0);
        }

        int choose(float[] logits) {
            int id = sampler.sample(logits, ids.toArray());
            ids.add(id);
            return id;
        }

        /** Reads prompt and answer so far as a batch of one does. */
        void decodeAgain(LlavaModel model) {
            DecodingSession own = new DecodingSession(model, List.of(prompt), null);
            alone = own;
            for (int id : ids.toArray()) {
                own.read(new int[] {id});
            }
        }

        @Override
        public void close() {
            if (alone != null) {
                alone.close();
            }
        }
    }

    private static final class Ids {
        private int[] ids = new int[16];
        private int count;

        void add(int id) {
            if (count == ids.length) {
                ids = Arrays.copyOf(ids, 2 * count);
            }
            ids[count++] = id;
        }

        int last() {
            return ids[count - 1];
        }

        int[] toArray() {
            return Arrays.copyOf(ids, count);
        }
    }
}
