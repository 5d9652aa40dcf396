package io.llava4j.eval.run;

import io.llava4j.eval.judge.JudgeRequest;
import io.llava4j.eval.transport.LocalJudge;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Who grades answers that rules cannot score.
 *
 * @param name in results; empty where requests are only written to files
 * @param model asked instead of the model each benchmark was published with; null for that model
 * @param transport sends a request and returns the reply; null to write requests to files
 * @param replies a file of replies to requests that an earlier run wrote; null for none
 */
public record Judge(
        String name,
        @Nullable String model,
        @Nullable Function<JudgeRequest, String> transport,
        @Nullable Path replies) {
    /** The local rule, which compares words. */
    public static Judge local() {
        return new Judge(LocalJudge.NAME, LocalJudge.NAME, new LocalJudge(), null);
    }

    /** Nobody: requests to the judge each benchmark was published with are written to files. */
    public static Judge none() {
        return new Judge("the published judge", null, null, null);
    }

    /** Whether this is the local rule; it knows nothing that official rules do not. */
    boolean isLocal() {
        return name.equals(LocalJudge.NAME);
    }

    /** Whether replies can come from it: from a transport or from a file. */
    boolean isNamed() {
        return transport != null || replies != null;
    }
}
