package io.llava4j.app.doctor;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** The table of {@code llava doctor}, or the same as JSON. */
public final class DoctorReport {
    private DoctorReport() {}

    /**
     * Prints every finding.
     *
     * @param findings the lines
     * @param json whether to print one JSON document instead of a table
     * @param out receives it
     */
    public static void print(List<Finding> findings, boolean json, PrintWriter out) {
        boolean usable = findings.stream().noneMatch(finding -> finding.state() == Finding.State.UNUSABLE);
        if (json) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("usable", usable);
            document.put("findings", findings.stream().map(DoctorReport::row).toList());
            out.println(JsonMapper.builder()
                    .build()
                    .writerWithDefaultPrettyPrinter()
                    .writeValueAsString(document));
        } else {
            for (Finding finding : findings) {
                out.printf("%-8s %-14s %s%n", word(finding.state()), finding.what(), finding.detail());
                if (!finding.remedy().isEmpty()) {
                    out.printf("%-8s %-14s -> %s%n", "", "", finding.remedy());
                }
            }
            out.printf("%n%s%n", usable ? "llava4j can run here." : "llava4j cannot fully run here: see NOT above.");
        }
        out.flush();
    }

    private static Map<String, Object> row(Finding finding) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("what", finding.what());
        row.put("state", finding.state().name().toLowerCase(Locale.ROOT));
        row.put("detail", finding.detail());
        row.put("remedy", finding.remedy());
        return row;
    }

    private static String word(Finding.State state) {
        return switch (state) {
            case FINE -> "fine";
            case LIMITED -> "limited";
            case UNUSABLE -> "NOT";
        };
    }
}
