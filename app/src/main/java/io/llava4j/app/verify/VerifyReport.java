package io.llava4j.app.verify;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** The table of {@code llava verify}: a line per case as it is decided, then the counts. Or the same as JSON. */
public final class VerifyReport {
    private final PrintWriter out;
    private final boolean json;
    private final List<CaseResult> cases = new ArrayList<>();
    private final Map<CaseResult.Status, Integer> counts = new EnumMap<>(CaseResult.Status.class);

    /**
     * @param out receives the table, or the one JSON document
     * @param json whether to print JSON, which happens in {@link #finish} only
     */
    public VerifyReport(PrintWriter out, boolean json) {
        this.out = out;
        this.json = json;
    }

    /** Adds a case. */
    public void add(CaseResult result) {
        if (json) {
            cases.add(result);
        } else {
            if (counts.isEmpty()) {
                print("suite", "case", "error", "tolerance", "verdict", "");
            }
            print(result);
        }
        counts.merge(result.status(), 1, Integer::sum);
    }

    private void print(CaseResult result) {
        boolean compared = result.status() != CaseResult.Status.SKIPPED;
        print(
                result.suite(),
                result.name(),
                compared ? number(result.error()) : "-",
                compared ? number(result.tolerance()) : "-",
                verdict(result.status()),
                result.detail());
    }

    /**
     * Prints the counts, or the JSON document.
     *
     * @return whether no case failed
     */
    public boolean finish() {
        if (json) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("cases", cases.stream().map(VerifyReport::row).toList());
            for (CaseResult.Status status : CaseResult.Status.values()) {
                document.put(verdict(status).toLowerCase(Locale.ROOT), count(status));
            }
            out.println(JsonMapper.builder()
                    .build()
                    .writerWithDefaultPrettyPrinter()
                    .writeValueAsString(document));
        } else {
            out.printf(
                    Locale.ROOT,
                    "%n%d ok, %d FAIL, %d skipped%n",
                    count(CaseResult.Status.OK),
                    count(CaseResult.Status.FAIL),
                    count(CaseResult.Status.SKIPPED));
        }
        out.flush();
        return count(CaseResult.Status.FAIL) == 0;
    }

    private int count(CaseResult.Status status) {
        return counts.getOrDefault(status, 0);
    }

    private void print(String suite, String name, String error, String tolerance, String verdict, String detail) {
        out.println("%-12s %-52s %10s %10s  %-7s %s"
                .formatted(suite, name, error, tolerance, verdict, detail)
                .stripTrailing());
        out.flush();
    }

    private static Map<String, @Nullable Object> row(CaseResult result) {
        boolean compared = result.status() != CaseResult.Status.SKIPPED;
        Map<String, @Nullable Object> row = new LinkedHashMap<>();
        row.put("suite", result.suite());
        row.put("case", result.name());
        row.put("error", compared && Double.isFinite(result.error()) ? result.error() : null);
        row.put("tolerance", compared ? result.tolerance() : null);
        row.put("verdict", verdict(result.status()));
        row.put("detail", result.detail());
        return row;
    }

    private static String verdict(CaseResult.Status status) {
        return switch (status) {
            case OK -> "ok";
            case FAIL -> "FAIL";
            case SKIPPED -> "skipped";
        };
    }

    private static String number(double value) {
        return value == 0 ? "0" : String.format(Locale.ROOT, "%.2e", value);
    }
}
