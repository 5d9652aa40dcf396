package io.llava4j.app.cli;

import io.llava4j.train.data.mixture.Manifest;
import io.llava4j.train.data.mixture.SourceReport;
import java.util.Locale;

/** A table of a mixture's sources with expected numbers and those of the paper. */
final class MixtureTable {
    private static final String ROW = "%-16s %12s %12s %12s %12s %8s  %s%n";

    private MixtureTable() {}

    /** The table as text, with a line for each source and one for all. */
    static String of(Manifest manifest) {
        StringBuilder table = new StringBuilder();
        row(table, "source", "records", "pairs", "expected", "difference", "paper", "left out");
        boolean known = manifest.sources().stream().allMatch(source -> source.expected() != null);
        long expected = 0;
        for (SourceReport source : manifest.sources()) {
            Integer wanted = source.expected();
            expected += wanted == null ? 0 : wanted;
            row(
                    table,
                    source.name(),
                    number(source.records()),
                    number(source.pairs()),
                    wanted == null ? "" : number(wanted),
                    wanted == null ? "" : source.deviation() == 0 ? "0" : "%+d".formatted(source.deviation()),
                    source.paper(),
                    source.leftOut().toString().replaceAll("[{}]", ""));
        }
        row(
                table,
                "all",
                number(manifest.records()),
                number(manifest.pairs()),
                known ? number(expected) : "",
                !known ? "" : manifest.records() == expected ? "0" : "%+d".formatted(manifest.records() - expected),
                "",
                "");
        return table.toString();
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    private static void row(StringBuilder table, Object... cells) {
        table.append(String.format(Locale.ROOT, ROW, cells).stripTrailing()).append(System.lineSeparator());
    }
}
