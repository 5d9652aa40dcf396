package io.llava4j.eval.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A table of text that is shown in a terminal, in Markdown and in a page.
 *
 * @param header one cell per column; the first column is left-aligned, the others right-aligned
 * @param rows cells
 * @param emphasised the column of interest; -1 for none
 */
public record ResultTable(List<String> header, List<List<String>> rows, int emphasised) {
    /** For a terminal: columns apart by two blanks, a line under the header. */
    public String text() {
        int[] widths = new int[header.size()];
        List<List<String>> all = new ArrayList<>(List.of(header));
        all.addAll(rows);
        for (List<String> row : all) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder out = new StringBuilder();
        for (int line = 0; line < all.size(); line++) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String cell = all.get(line).get(i);
                String pad = " ".repeat(widths[i] - cell.length());
                text.append(i == 0 ? cell + pad : "  " + pad + cell);
            }
            out.append(text.toString().stripTrailing()).append('\n');
            if (line == 0) {
                out.append("-".repeat(text.length())).append('\n');
            }
        }
        return out.toString();
    }

    /** For Markdown. */
    public String markdown() {
        List<String> rule = new ArrayList<>(Collections.nCopies(header.size(), "---:"));
        rule.set(0, ":---");
        StringBuilder out = new StringBuilder();
        line(out, header, -1);
        line(out, rule, -1);
        rows.forEach(row -> line(out, row, emphasised));
        return out.toString();
    }

    private static void line(StringBuilder out, List<String> cells, int bold) {
        out.append('|');
        for (int i = 0; i < cells.size(); i++) {
            String cell = cells.get(i).replace("|", "\\|").replace("*", "\\*");
            out.append(' ').append(i == bold ? "**" + cell + "**" : cell).append(" |");
        }
        out.append('\n');
    }

    /** For a page. */
    String html() {
        StringBuilder out = new StringBuilder("<div class=\"scroll\"><table>\n<thead><tr>");
        for (int i = 0; i < header.size(); i++) {
            out.append(
                    "<th scope=\"col\"%s>%s</th>".formatted(i == 0 ? "" : " class=\"n\"", Html.escape(header.get(i))));
        }
        out.append("</tr></thead>\n<tbody>\n");
        for (List<String> row : rows) {
            out.append("<tr><th scope=\"row\">%s</th>".formatted(Html.escape(row.getFirst())));
            for (int i = 1; i < row.size(); i++) {
                out.append("<td class=\"n%s\">%s</td>"
                        .formatted(i == emphasised ? " strong" : "", Html.escape(row.get(i))));
            }
            out.append("</tr>\n");
        }
        return out.append("</tbody></table></div>\n").toString();
    }
}
