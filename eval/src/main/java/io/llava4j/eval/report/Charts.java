package io.llava4j.eval.report;

import io.llava4j.LlavaException;
import io.llava4j.eval.vqa.VqaScore;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.IChart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Charts as PNG files, for a run's {@code plots/} and the model card. No display is needed, but a font is: on a machine
 * without any, every method throws a {@link LlavaException} that says so. {@link HtmlReport} draws its own charts and
 * does not depend on this.
 */
public final class Charts {
    private static final int WIDTH = 1200;
    private static final int HEIGHT = 680;
    private static final Color INK = new Color(0x211F1C);
    private static final Color SOFT = new Color(0x6B665E);
    private static final Color GRID = new Color(0xE6E2D9);
    private static final Color SIGHTED = new Color(0x1D6A74);
    private static final Color PALE = new Color(0xB9D3D5);
    private static final Color BLIND = new Color(0x9D968A);
    private static final Color BEFORE = new Color(0xC9973F);

    private Charts() {}

    /**
     * Loss of a stage, measured and smoothed.
     *
     * @param logarithmic whether the loss axis is logarithmic
     * @return a PNG
     */
    public static byte[] loss(TrainingCurve curve, boolean logarithmic) {
        return png(() -> {
            XYChart chart = lines(curve.name() + ": loss", "loss");
            chart.getStyler().setYAxisLogarithmic(logarithmic);
            if (!logarithmic) {
                chart.getStyler().setYAxisMin(0.0);
            }
            line(chart, "measured", curve.steps(), curve.loss(), PALE, 1.5f);
            line(chart, "smoothed", curve.steps(), curve.smoothed(), SIGHTED, 4f);
            return chart;
        });
    }

    /** Learning rate of a stage as a PNG. */
    public static byte[] learningRate(TrainingCurve curve) {
        return png(() -> {
            // XChart takes values closer than 1e-8 for equally spaced and labels each, so rates are scaled up.
            double peak = Arrays.stream(curve.learningRate())
                    .filter(Double::isFinite)
                    .max()
                    .orElse(0);
            int exponent = peak > 0 ? (int) Math.floor(Math.log10(peak)) : 0;
            double unit = Math.pow(10, exponent);
            XYChart chart = lines(curve.name() + ": learning rate", "learning rate × 1e" + exponent);
            chart.getStyler().setLegendVisible(false);
            chart.getStyler().setYAxisMin(0.0);
            double[] scaled =
                    Arrays.stream(curve.learningRate()).map(rate -> rate / unit).toArray();
            line(chart, "learning rate", curve.steps(), scaled, BEFORE, 4f);
            return chart;
        });
    }

    /** VQA accuracy by kind of question, one bar per condition, as a PNG. */
    public static byte[] questionTypes(Results results) {
        return png(() -> {
            CategoryChart chart = new CategoryChartBuilder()
                    .width(WIDTH)
                    .height(HEIGHT)
                    .title("VQA accuracy by kind of question")
                    .yAxisTitle("percent")
                    .build();
            style(chart.getStyler());
            chart.getStyler().setYAxisMin(0.0).setYAxisMax(100.0).setXAxisLabelRotation(30);
            chart.getStyler().setAvailableSpaceFill(0.72);
            chart.getStyler().setPlotGridVerticalLinesVisible(false);
            List<String> types = List.copyOf(results.questionTypes().keySet());
            results.vqa()
                    .forEach((condition, score) -> chart.addSeries(condition.title(), types, bars(score, types))
                            .setFillColor(color(condition)));
            return chart;
        });
    }

    private static List<Double> bars(VqaScore score, List<String> types) {
        return types.stream()
                .map(type -> score.perQuestionType().getOrDefault(type, 0.0))
                .toList();
    }

    private static Color color(Condition condition) {
        return switch (condition) {
            case SIGHTED -> SIGHTED;
            case BLIND -> BLIND;
            case BEFORE -> BEFORE;
        };
    }

    private static XYChart lines(String title, String yAxis) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("step")
                .yAxisTitle(yAxis)
                .build();
        style(chart.getStyler());
        chart.getStyler().setPlotGridVerticalLinesVisible(false);
        chart.getStyler().setXAxisTickMarkSpacingHint(120);
        chart.getStyler().setXAxisTickLabelsFormattingFunction("%.0f"::formatted);
        chart.getStyler().setYAxisLogarithmicDecadeOnly(false);
        return chart;
    }

    /** Leaves out what is not finite, which XChart refuses. */
    private static void line(XYChart chart, String name, double[] x, double[] y, Color color, float width) {
        List<Double> steps = new ArrayList<>();
        List<Double> values = new ArrayList<>();
        for (int i = 0; i < x.length; i++) {
            if (Double.isFinite(y[i])) {
                steps.add(x[i]);
                values.add(y[i]);
            }
        }
        if (steps.isEmpty()) {
            throw new LlavaException(
                    "nothing to plot for '%s': none of %s is a finite number".formatted(name, Arrays.toString(y)));
        }
        // XChart labels every n-th of equally spaced values, however crowded; otherwise it chooses round ones.
        steps.set(steps.size() - 1, steps.getLast() + 1e-3);
        XYSeries series = chart.addSeries(name, steps, values);
        series.setMarker(SeriesMarkers.NONE);
        series.setLineColor(color);
        series.setLineStyle(new BasicStroke(width, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    }

    private static void style(AxesChartStyler styler) {
        Font text = new Font(Font.SANS_SERIF, Font.PLAIN, 20);
        styler.setBaseFont(text);
        styler.setChartTitleFont(text.deriveFont(Font.BOLD, 26f));
        styler.setLegendFont(text);
        styler.setAxisTitleFont(text);
        styler.setAxisTickLabelsFont(text);
        styler.setAxisTickLabelsColor(SOFT);
        styler.setAxisTickMarksColor(GRID);
        styler.setChartFontColor(INK);
        styler.setChartTitleBoxVisible(false);
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBackgroundColor(Color.WHITE);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridLinesColor(GRID);
        styler.setPlotGridLinesStroke(new BasicStroke(1f));
        styler.setLegendPosition(Styler.LegendPosition.InsideNE);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setLegendLayout(Styler.LegendLayout.Horizontal);
        styler.setChartPadding(28);
    }

    /** AWT without fontconfig or a font throws a plain Error, an InternalError or a RuntimeException, by JDK and luck. */
    private static byte[] png(Supplier<IChart> chart) {
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ImageIO.write(BitmapEncoder.getBufferedImage(chart.get()), "png", out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (LlavaException | OutOfMemoryError | StackOverflowError e) {
            throw e;
        } catch (RuntimeException | Error e) {
            throw new LlavaException(
                    "charts cannot be drawn: this Java finds no font (%s); install fontconfig and a font such as DejaVu"
                            .formatted(e),
                    e);
        }
    }
}
