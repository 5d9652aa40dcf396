package io.llava4j.train.launch;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What launchers say to each other: one line of JSON each, {@code {"Kind": {…}}}. */
sealed interface Message {
    /** A launcher introduces itself. */
    record Hello(String version, int nodes, int node, int processes) implements Message {}

    /** Launcher 0 takes it. */
    record Welcome() implements Message {}

    /** Launcher 0 does not take it. */
    record Refused(String why) implements Message {}

    /** Start the ranks. */
    record Start(Attempt attempt) implements Message {}

    /** Stop the ranks, at the end of their step or at once. */
    record Stop(boolean now) implements Message {}

    /** The run ends; so does the launcher. */
    record Finish(int code, String sentence) implements Message {}

    /** Launcher 0 is alive. */
    record Ping() implements Message {}

    /** How the ranks of a launcher are. */
    record Status(int attempt, List<RankStatus> ranks) implements Message {}

    /** Somebody stopped this launcher. */
    record StopRequested() implements Message {}

    /** The ranks of an attempt could not be started. */
    record Unable(String why) implements Message {}

    /** Longer than any message: what a stranger may send before it is refused. */
    int MAX_CHARACTERS = 4 << 20;

    /** Of a sentence about the other side. */
    String STRANGER = "it is no llava launch";

    JsonMapper JSON = JsonMapper.builder().build();

    Map<String, Class<? extends Message>> KINDS = Stream.of(
                    Hello.class,
                    Welcome.class,
                    Refused.class,
                    Start.class,
                    Stop.class,
                    Finish.class,
                    Ping.class,
                    Status.class,
                    StopRequested.class,
                    Unable.class)
            .collect(Collectors.toMap(Class::getSimpleName, Function.identity()));

    /** Writes it as a line. */
    default void writeTo(Writer out) throws IOException {
        out.write(JSON.writeValueAsString(Map.of(getClass().getSimpleName(), this)) + "\n");
        out.flush();
    }

    /**
     * Reads the next line.
     *
     * @return null at the end of the stream
     * @throws IOException if it is no message
     */
    static @Nullable Message read(BufferedReader in) throws IOException {
        String line = line(in);
        if (line == null) {
            return null;
        }
        try {
            JsonNode node = JSON.readTree(line);
            for (Map.Entry<String, JsonNode> field : node.properties()) {
                Class<? extends Message> kind = KINDS.get(field.getKey());
                if (kind != null) {
                    return JSON.treeToValue(field.getValue(), kind);
                }
            }
        } catch (JacksonException e) {
            throw new IOException(STRANGER, e);
        }
        throw new IOException(STRANGER);
    }

    private static @Nullable String line(BufferedReader in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next >= 0; next = in.read()) {
            if (next == '\n') {
                return line.toString();
            }
            if (line.length() == MAX_CHARACTERS) {
                throw new IOException(STRANGER);
            }
            line.append((char) next);
        }
        return line.isEmpty() ? null : line.toString();
    }
}
