package io.llava4j.app.verify;

/**
 * One case of {@code llava verify}.
 *
 * @param suite the kind of data, for example {@code preprocess}
 * @param name what was compared
 * @param error largest error seen; 0 where the comparison is exact
 * @param tolerance largest error allowed
 * @param status the verdict
 * @param detail what differs, or why the case was skipped; empty for an ok case
 */
public record CaseResult(String suite, String name, double error, double tolerance, Status status, String detail) {
    /** Verdict of a case. */
    public enum Status {
        OK,
        FAIL,
        SKIPPED
    }

    /** A numeric comparison: ok when {@code error <= tolerance} (NaN fails). */
    public static CaseResult within(String suite, String name, double error, double tolerance) {
        return new CaseResult(suite, name, error, tolerance, error <= tolerance ? Status.OK : Status.FAIL, "");
    }

    /** An exact comparison. */
    public static CaseResult exact(String suite, String name, boolean equal, String detail) {
        return new CaseResult(suite, name, equal ? 0 : 1, 0, equal ? Status.OK : Status.FAIL, equal ? "" : detail);
    }

    /** A case that cannot be run here, with the reason. */
    public static CaseResult skipped(String suite, String name, String reason) {
        return new CaseResult(suite, name, 0, 0, Status.SKIPPED, reason);
    }
}
