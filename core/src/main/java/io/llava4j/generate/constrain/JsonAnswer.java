package io.llava4j.generate.constrain;

import io.llava4j.DataException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * The constraint of one answer: all ways to understand it so far. A token may come if one of them reads its bytes, which is
 * asked of all tokens at once by a walk through their prefix tree. Inside strings the walk is short: tokens that only add
 * characters to it are known beforehand.
 */
final class JsonAnswer implements TokenConstraint {
    /** Alternatives of a schema that begin alike are read side by side. */
    private static final int MAX_STATES = 512;

    private final TokenTrie tokens;
    private Collection<JsonState> states;
    private boolean isAtStart = true;

    JsonAnswer(TokenTrie tokens, JsonState start) {
        this.tokens = tokens;
        this.states = List.of(start);
    }

    @Override
    public void mask(float[] logits) {
        boolean[] allowed = new boolean[Math.max(logits.length, tokens.idCount())];
        walk(0, states, allowed);
        if (isAtStart) {
            // The space that a tokenizer puts before the first word is no part of the answer.
            for (int node = tokens.firstChild(0); node < tokens.end(0); node = tokens.end(node)) {
                if (tokens.label(node) == ' ') {
                    tokens.allow(node, allowed);
                    walk(node, states, allowed);
                }
            }
        }
        if (isComplete()) {
            tokens.stopIds().forEach(id -> allowed[id] = true);
        }
        for (int id = 0; id < logits.length; id++) {
            if (!allowed[id]) {
                logits[id] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    private void walk(int node, Collection<JsonState> at, boolean[] allowed) {
        int free = at.stream().mapToInt(JsonState::freeCharacters).max().orElse(0);
        if (free > 0) {
            tokens.allowText(node, free, allowed);
        }
        int depth = tokens.depth(node);
        for (int child = tokens.firstChild(node); child < tokens.end(node); child = tokens.end(child)) {
            boolean isText = !tokens.hasSpecialBelow(child, depth);
            Collection<JsonState> next = step(at, tokens.label(child), isText);
            if (!next.isEmpty()) {
                tokens.allow(child, allowed);
                walk(child, next, allowed);
            }
        }
    }

    @Override
    public void accept(int id) {
        if (tokens.stopIds().contains(id)) {
            if (!isComplete()) {
                throw new IllegalArgumentException("token %d ends the answer before it is complete".formatted(id));
            }
            return;
        }
        Collection<JsonState> next = after(id);
        if (next.isEmpty()) {
            throw new IllegalArgumentException("token %d does not fit the answer".formatted(id));
        }
        states = next;
        isAtStart = false;
    }

    /** The ways to understand the answer with a further token; none if it may not come. */
    Collection<JsonState> after(int id) {
        byte[] bytes = tokens.bytes(id);
        if (bytes == null) {
            return List.of();
        }
        Collection<JsonState> next = states;
        for (int i = isAtStart && bytes[0] == ' ' ? 1 : 0; i < bytes.length; i++) {
            next = step(next, bytes[i] & 0xFF, false);
        }
        return next;
    }

    /** Whether the answer may end here. */
    boolean isComplete() {
        return states.stream().anyMatch(JsonState::isComplete);
    }

    /** @param withoutText whether states that allow any text were dealt with */
    private static Collection<JsonState> step(Collection<JsonState> states, int b, boolean withoutText) {
        Collection<JsonState> next = new ArrayList<>(1);
        for (JsonState state : states) {
            if (!withoutText || state.freeCharacters() == 0) {
                state.step(b, next::add);
            }
        }
        if (next.size() > 1) {
            next = new LinkedHashSet<>(next);
        }
        if (next.size() > MAX_STATES) {
            throw new DataException(
                    "the JSON schema leaves more than %d ways to understand an answer; let its alternatives begin differently"
                            .formatted(MAX_STATES));
        }
        return next;
    }
}
