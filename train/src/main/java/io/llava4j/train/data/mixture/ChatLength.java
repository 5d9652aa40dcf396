package io.llava4j.train.data.mixture;

import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts conversations to a number of tokens of the prompt that training makes of them, roles and system text included.
 * Whole answers are kept; only if the first one alone is too long is it cut, after a word.
 */
final class ChatLength {
    private final PromptBuilder prompts;
    private final int most;
    private final int frame;
    private final int longestPiece;

    /**
     * @param tokenizer that counts
     * @param most tokens of a prompt
     */
    ChatLength(SentencePieceTokenizer tokenizer, int most) {
        this.prompts = new PromptBuilder(tokenizer, ConversationTemplate.V1);
        this.most = most;
        this.frame =
                ConversationTemplate.V1.render(List.of(Turn.human("")), true).length() + 16;
        int longest = 1;
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            longest = Math.max(longest, tokenizer.piece(id).length());
        }
        this.longestPiece = longest;
    }

    /**
     * The conversation within the limit.
     *
     * @throws RejectedException if not even a word of the first answer has room
     */
    List<Turn> cut(List<Turn> turns) {
        if (bytes(turns) < most) {
            return turns; // a token has at least one byte
        }
        int[] ends = answerEnds(turns);
        int pairs = 0;
        while (pairs < ends.length && ends[pairs] <= most) {
            pairs++;
        }
        return pairs > 0 ? turns.subList(0, 2 * pairs) : List.of(turns.get(0), cutAnswer(turns));
    }

    /** Tokens up to and with the end of each answer; answers beyond the limit for sure may be missing. */
    private int[] answerEnds(List<Turn> turns) {
        List<Turn> head = new ArrayList<>();
        long characters = 0;
        for (int i = 0; i < turns.size() && characters <= (long) most * longestPiece; i += 2) {
            head.addAll(turns.subList(i, i + 2));
            characters += turns.get(i).text().length() + turns.get(i + 1).text().length();
        }
        Prompt prompt = prompts.training(head, 0, Integer.MAX_VALUE);
        int end = prompts.tokenizer().eosId();
        List<Integer> ends = new ArrayList<>();
        for (int i = 0; i < prompt.length(); i++) {
            // The end that closes an answer is supervised; one in a text is not expected here, and would count as text.
            if (prompt.ids()[i] == end) {
                ends.add(i + 1);
            }
        }
        return ends.stream().mapToInt(Integer::intValue).toArray();
    }

    private Turn cutAnswer(List<Turn> turns) {
        String answer = turns.get(1).text();
        List<Integer> breaks = new ArrayList<>();
        int longest = (int) Math.min(answer.length(), (long) most * longestPiece);
        for (int i = 1; i < longest; i++) {
            if (Character.isWhitespace(answer.charAt(i)) && !Character.isWhitespace(answer.charAt(i - 1))) {
                breaks.add(i);
            }
        }
        int low = 0;
        int high = breaks.size();
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            Turn part = Turn.assistant(answer.substring(0, breaks.get(middle - 1)));
            if (prompts.training(List.of(turns.get(0), part), 0, Integer.MAX_VALUE)
                            .length()
                    <= most) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        if (low == 0) {
            throw new RejectedException(Rule.MAX_TOKENS, "its first question leaves no room for an answer");
        }
        return Turn.assistant(answer.substring(0, breaks.get(low - 1)));
    }

    private long bytes(List<Turn> turns) {
        long bytes = frame;
        for (Turn turn : turns) {
            bytes += turn.text().getBytes(StandardCharsets.UTF_8).length + 16;
        }
        return bytes;
    }
}
