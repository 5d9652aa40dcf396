package io.llava4j.app.data;

import io.llava4j.eval.report.Html;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

/** An HTML page of samples as the model sees them. */
public final class GalleryPage {
    private GalleryPage() {}

    /**
     * Writes the page atomically.
     *
     * @param file to write
     * @param data file of the data set
     * @param samples to show
     * @param template name of the conversation template
     * @param maxLength longest sequence in tokens
     */
    public static void write(Path file, Path data, List<SamplePreview> samples, String template, int maxLength) {
        DataPage page = new DataPage(
                "Samples of " + data.getFileName(),
                "%,d %s as the model sees them: template %s, at most %,d tokens. Images are shown after preprocessing."
                        .formatted(samples.size(), samples.size() == 1 ? "record" : "records", template, maxLength));
        page.add(
                "<p class=\"keys\"><span class=\"supervised\">supervised</span> <span class=\"masked\">read, not supervised</span> "
                        + "<span class=\"image-tokens\">image tokens</span> <span class=\"truncated\">truncated</span></p>\n");
        samples.forEach(sample -> add(page, sample));
        page.write(file);
    }

    private static void add(DataPage page, SamplePreview sample) {
        List<String> images = sample.record().images();
        page.add(
                "<article class=\"sample%s\">\n<h3>%s<small>%s</small></h3>\n",
                sample.images().isEmpty() ? " text" : "",
                Html.escape(SamplePainter.heading(sample)),
                Html.escape(images.isEmpty() ? "no image" : String.join(", ", images)));
        if (!sample.images().isEmpty()) {
            page.add("<div>\n");
            for (int i = 0; i < sample.images().size(); i++) {
                page.add(
                        "<img src=\"data:image/png;base64,%s\" alt=\"\">\n",
                        Base64.getEncoder()
                                .encodeToString(SamplePainter.image(
                                        sample.images().get(i), i == 0 ? sample.boxes() : List.of())));
            }
            page.add("</div>\n");
        }
        page.add("<div><p class=\"tokens\">");
        for (SamplePreview.Token token : sample.tokens()) {
            String style = token.kind() == SamplePreview.Kind.IMAGE
                    ? "image-tokens"
                    : token.kind().name().toLowerCase(Locale.ROOT);
            page.add(
                    "<span class=\"%s\">%s</span>",
                    style, Html.escape(token.text()).replace("\n", "↵\n"));
        }
        page.add("</p>\n");
        if (!sample.boxes().isEmpty()) {
            page.add("<ul class=\"boxes\">\n");
            for (int i = 0; i < sample.boxes().size(); i++) {
                int colour = SamplePainter.BOX_COLOURS
                                .get(i % SamplePainter.BOX_COLOURS.size())
                                .getRGB()
                        & 0xffffff;
                page.add(
                        "<li><i style=\"background:#%06x\"></i>%d %s</li>\n",
                        colour, i + 1, Html.escape(sample.boxes().get(i).label()));
            }
            page.add("</ul>\n");
        }
        if (!sample.problem().isEmpty()) {
            page.add("<p class=\"more problem\">%s</p>\n", Html.escape(sample.problem()));
        }
        page.add("</div>\n</article>\n");
    }
}
