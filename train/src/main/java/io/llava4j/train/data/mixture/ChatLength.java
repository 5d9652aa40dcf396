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
 * Truncates conversations so that the prompt that training makes of them, with roles and system text, has at most a
 * number of tokens. Whole answers are kept; only a first answer that is too long is truncated, after a word.
 */
final class ChatLength {
    private final PromptBuilder prompts;
    private final int maxTokens;
    private final int frame;
    private final int longestToken;

    /**
     * @param tokenizer that counts tokens
     * @param maxTokens of a prompt
     */
    ChatLength(SentencePieceTokenizer tokenizer, int maxTokens) {
        this.prompts = new PromptBuilder(tokenizer, ConversationTemplate.V1);
        this.maxTokens = maxTokens;
        this.frame =
                ConversationTemplate.V1.render(List.of(Turn.human("")), true).length() + 16;
        int longest = 1;
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            longest = Math.max(longest, tokenizer.piece(id).length());
        }
        this.longestToken = longest;
    }

    /**
     * Truncates a conversation to the limit.
     *
     * @throws RejectedException if not even one word of the first answer fits
     */
    List<Turn> truncate(List<Turn> turns) {
        if (bytes(turns) < maxTokens) {
            return turns; // a token has at least one byte
        }
        int[] ends = answerEnds(turns);
        int pairs = 0;
        while (pairs < ends.length && ends[pairs] <= maxTokens) {
            pairs++;
        }
        return pairs > 0 ? turns.subList(0, 2 * pairs) : List.of(turns.get(0), truncatedAnswer(turns));
    }

    /** Number of tokens up to the end of each answer; answers certainly beyond the limit may be missing. */
    private int[] answerEnds(List<Turn> turns) {
        List<Turn> head = new ArrayList<>();
        long characters = 0;
        for (int i = 0; i < turns.size() && characters <= (long) maxTokens * longestToken; i += 2) {
            head.addAll(turns.subList(i, i + 2));
            characters += turns.get(i).text().length() + turns.get(i + 1).text().length();
        }
        Prompt prompt = prompts.training(head, 0, Integer.MAX_VALUE);
        int end = prompts.tokenizer().eosId();
        List<Integer> ends = new ArrayList<>();
        for (int i = 0; i < prompt.length(); i++) {
            // An end token inside a text would count as the end of an answer; rule no-template-markers rejects such
            // texts.
            if (prompt.ids()[i] == end) {
                ends.add(i + 1);
            }
        }
        return ends.stream().mapToInt(Integer::intValue).toArray();
    }

    private Turn truncatedAnswer(List<Turn> turns) {
        String answer = turns.get(1).text();
        List<Integer> breaks = new ArrayList<>();
        int longest = (int) Math.min(answer.length(), (long) maxTokens * longestToken);
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
                    <= maxTokens) {
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
