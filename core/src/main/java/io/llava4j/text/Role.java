package io.llava4j.text;

/** Who speaks in a turn. */
public enum Role {
    HUMAN,
    ASSISTANT
}
