package io.llava4j.train.data.mixture;

import java.util.Locale;
import java.util.Map;

/** The datasheet of a mixture in Markdown, made from its manifest. */
final class Datasheet {
    private Datasheet() {}

    static String of(Manifest manifest) {
        StringBuilder text = new StringBuilder();
        line(text, "# %s", manifest.name());
        line(
                text,
                "%,d conversations with %,d questions and answers; %,d with an image, %,d of text only. Built by `llava"
                        + " data build` with seed %d; the same recipe and raw files give the same bytes.",
                manifest.records(),
                manifest.pairs(),
                manifest.records() - manifest.textOnly(),
                manifest.textOnly(),
                manifest.seed());
        line(text, "");
        line(text, "| | |");
        line(text, "|---|---|");
        line(text, "| file | `%s`, %,d bytes |", manifest.file(), manifest.bytes());
        line(text, "| SHA-256 | `%s` |", manifest.sha256());
        line(text, "| recipe | `%s` (SHA-256 of its resolved values) |", manifest.recipeSha256());
        line(text, "| order | %s |", manifest.shuffle() ? "all sources mixed by the seed" : "source by source");
        line(text, "");
        line(text, "## Sources");
        line(text, "| source | conversations | pairs | expected | difference | paper | licence |");
        line(text, "|---|---:|---:|---:|---:|---:|---|");
        for (SourceReport source : manifest.sources()) {
            line(
                    text,
                    "| %s | %,d | %,d | %s | %s | %s | %s |",
                    source.name(),
                    source.records(),
                    source.pairs(),
                    source.expected() == null ? "" : "%,d".formatted(source.expected()),
                    source.expected() == null ? "" : "%+,d".formatted(source.deviation()),
                    source.paper(),
                    source.licence());
        }
        line(text, "");
        line(text, "## What was left out");
        line(
                text,
                "Each case is listed in `left-out.jsonl` with its reason, except for records that a sample did not draw.");
        line(text, "");
        for (SourceReport source : manifest.sources()) {
            source.leftOut().forEach((rule, count) -> line(text, "- %s: %,d by `%s`", source.name(), count, rule));
        }
        line(text, "");
        line(text, "## Rules");
        for (SourceReport source : manifest.sources()) {
            line(text, "**%s** (`%s`)%s", source.name(), source.kind(), imagesNote(source));
            line(text, "");
            for (Map.Entry<String, String> rule : source.rules().entrySet()) {
                Rule known = Rule.of(rule.getKey()).orElseThrow();
                line(text, "- `%s: %s` – %s", rule.getKey(), rule.getValue(), known.meaning());
            }
            line(text, "");
        }
        line(text, "## Raw files");
        for (SourceReport source : manifest.sources()) {
            for (SourceReport.InputFile file : source.files()) {
                line(text, "- `%s`, %,d bytes, SHA-256 `%s`", file.path(), file.bytes(), file.sha256());
            }
        }
        return text.toString();
    }

    private static String imagesNote(SourceReport source) {
        boolean text = source.kind().equals("sharegpt");
        return text ? "" : source.imagesChecked() ? "; images were checked" : "; images were not checked";
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
