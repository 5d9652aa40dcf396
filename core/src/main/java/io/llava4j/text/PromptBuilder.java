package io.llava4j.text;

import io.llava4j.DataException;
import java.util.Arrays;
import java.util.List;

/**
 * Builds token ids and labels from conversations, equal to LLaVA-1.5's (docs/reference/conversation.md#labels). A
 * conversation may have several images, in one turn or in several.
 *
 * <p>The template writes the text span by span; the text is tokenized as a whole; a token is supervised exactly if the
 * character it starts at belongs to an answer. No separators are counted afterwards, so that an answer with
 * {@code ASSISTANT:} or {@code </s>} in it gets the right labels, where the reference masks the whole sample. The texts
 * before, between and after images are tokenized separately.
 */
public final class PromptBuilder {
    private final SentencePieceTokenizer tokenizer;
    private final ConversationTemplate template;
    private final boolean emptyAnswersAllowed;

    /** A builder that refuses empty answers. */
    public PromptBuilder(SentencePieceTokenizer tokenizer, ConversationTemplate template) {
        this(tokenizer, template, false);
    }

    private PromptBuilder(
            SentencePieceTokenizer tokenizer, ConversationTemplate template, boolean emptyAnswersAllowed) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.emptyAnswersAllowed = emptyAnswersAllowed;
    }

    /** A builder that writes an empty answer as the reference does: the prompt for the answer, then neither text, end nor labels. */
    public PromptBuilder allowingEmptyAnswers() {
        return new PromptBuilder(tokenizer, template, true);
    }

    /** The tokenizer that gives the ids. */
    public SentencePieceTokenizer tokenizer() {
        return tokenizer;
    }

    /** The template that writes the text. */
    public ConversationTemplate template() {
        return template;
    }

    /** A training sample with the template's own system text; see {@link #training(String, List, int, int)}. */
    public Prompt training(List<Turn> turns, int images, int maxLength) {
        return training("", turns, images, maxLength);
    }

    /**
     * A training sample. A leading answer without a question is dropped; then human and assistant must alternate. A
     * single image moves to the start of its turn ({@link ImagePlacement}); several images stay at their placeholders. A
     * last question without an answer stays.
     *
     * @param system system prompt that takes the place of the template's system text, never supervised; empty to keep that
     * @param turns the conversation
     * @param images number of the sample's images; if 0, {@code <image>} is ordinary text
     * @param maxLength maximum length of a text-only sample in tokens; {@link Prompt#truncatedTokens} counts the rest. As
     *     in the reference, a sample with images is not truncated here but by {@link Prompt#truncated} in the batch
     * @throws DataException if the turns do not alternate, an answer is empty, or there is no answer
     */
    public Prompt training(String system, List<Turn> turns, int images, int maxLength) {
        List<Turn> kept = !turns.isEmpty() && turns.getFirst().role() == Role.ASSISTANT && !template.captionOnly()
                ? turns.subList(1, turns.size())
                : turns;
        checkTurns(kept);
        if (kept.stream().noneMatch(turn -> turn.role() == Role.ASSISTANT)) {
            throw new DataException("the conversation has no answer to train on; add one or remove the sample");
        }
        ConversationTemplate used = system.isEmpty() ? template : template.withSystem(system);
        if (images == 0) {
            return build(used.renderSpans(kept, false), false).truncated(maxLength);
        }
        List<Turn> placed = kept.stream()
                .map(turn -> new Turn(
                        turn.role(),
                        template.withImages(images == 1 ? ImagePlacement.imageFirst(turn.text()) : turn.text())))
                .toList();
        return build(used.renderSpans(placed, false), true);
    }

    /**
     * A prompt for the next answer, without supervised tokens.
     *
     * @param turns the conversation so far: alternating, the human first and last; images stay at their placeholders
     * @throws DataException if the turns do not alternate, an earlier answer is empty, or the last turn is no question
     */
    public Prompt inference(List<Turn> turns) {
        checkTurns(turns);
        if (turns.getLast().role() != Role.HUMAN) {
            throw new DataException("the conversation ends with an answer; add the question to be answered");
        }
        List<Turn> written = turns.stream()
                .map(turn -> new Turn(turn.role(), template.withImages(turn.text())))
                .toList();
        return Prompt.unlabelled(
                build(template.renderSpans(written, true), true).ids());
    }

    /** Ids of a text: BOS first, {@link Prompt#IMAGE_TOKEN_INDEX} at every {@code <image>}. */
    public int[] encode(String text) {
        RenderedText unlabelled = new RenderedText();
        unlabelled.append(text, false);
        return build(unlabelled, true).ids();
    }

    private void checkTurns(List<Turn> turns) {
        if (turns.isEmpty()) {
            throw new DataException("the conversation has no question; add one or remove the sample");
        }
        for (int i = 0; i < turns.size(); i++) {
            Turn turn = turns.get(i);
            Role expected = i % 2 == 0 ? Role.HUMAN : Role.ASSISTANT;
            if (turn.role() != expected) {
                throw new DataException(
                        "turn %d of %d is by %s where %s must speak; questions and answers have to alternate"
                                .formatted(i + 1, turns.size(), turn.role(), expected));
            }
            if (expected == Role.ASSISTANT && turn.text().isEmpty() && !emptyAnswersAllowed) {
                throw new DataException("turn %d of %d is an empty answer; give it a text or remove the turn pair"
                        .formatted(i + 1, turns.size()));
            }
        }
        if (template.captionOnly()
                && (turns.size() > 2 || !turns.getFirst().text().contains(Turn.IMAGE_PLACEHOLDER))) {
            throw new DataException(
                    "template %s takes one question with %s and one answer; this conversation has %d turns%s"
                            .formatted(
                                    template.name(),
                                    Turn.IMAGE_PLACEHOLDER,
                                    turns.size(),
                                    turns.size() > 2 ? "" : " and no image in the first"));
        }
    }

    private Prompt build(RenderedText rendered, boolean splitAtImages) {
        String text = rendered.text();
        Ids out = new Ids();
        out.add(tokenizer.bosId(), false);
        int begin = 0;
        int image = splitAtImages ? text.indexOf(Turn.IMAGE_PLACEHOLDER) : -1;
        while (image >= 0) {
            addText(text.substring(begin, image), begin, rendered, out);
            out.add(Prompt.IMAGE_TOKEN_INDEX, false);
            begin = image + Turn.IMAGE_PLACEHOLDER.length();
            image = text.indexOf(Turn.IMAGE_PLACEHOLDER, begin);
        }
        addText(text.substring(begin), begin, rendered, out);
        return out.toPrompt();
    }

    private void addText(String chunk, int begin, RenderedText rendered, Ids out) {
        Encoding encoding = tokenizer.encodeWithStarts(chunk);
        for (int i = 0; i < encoding.length(); i++) {
            int start = begin + encoding.starts()[i];
            boolean beforeAdded = i + 1 < encoding.length() && tokenizer.added(encoding.ids()[i + 1]) != null;
            if (!beforeAdded || !isAnswerSpace(encoding.ids()[i], start, rendered)) {
                out.add(encoding.ids()[i], rendered.isSupervised(start));
            }
        }
    }

    /**
     * Whether a token is the template's space before an answer and nothing else. Before an added token it is left out, as
     * that token has no space of its own (docs/reference/model.md#added-tokens).
     */
    private boolean isAnswerSpace(int id, int start, RenderedText rendered) {
        return start > 0
                && rendered.isSupervised(start)
                && !rendered.isSupervised(start - 1)
                && tokenizer.piece(id).equals("\u2581");
    }

    private static final class Ids {
        private int[] ids = new int[64];
        private int[] labels = new int[64];
        private int length;

        void add(int id, boolean supervised) {
            if (length == ids.length) {
                ids = Arrays.copyOf(ids, 2 * length);
                labels = Arrays.copyOf(labels, 2 * length);
            }
            ids[length] = id;
            labels[length++] = supervised ? id : Prompt.IGNORE_INDEX;
        }

        Prompt toPrompt() {
            return new Prompt(Arrays.copyOf(ids, length), Arrays.copyOf(labels, length));
        }
    }
}
