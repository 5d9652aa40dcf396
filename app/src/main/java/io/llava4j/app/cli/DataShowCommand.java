package io.llava4j.app.cli;

import io.llava4j.DataException;
import io.llava4j.app.data.GalleryPage;
import io.llava4j.app.data.SamplePainter;
import io.llava4j.app.data.SamplePreview;
import io.llava4j.app.data.SampleText;
import io.llava4j.image.ImagePreparation;
import io.llava4j.io.AtomicFiles;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.SamplePrompts;
import io.llava4j.train.data.format.Images;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava data show}: shows records as the model sees them. */
@Command(
        name = "show",
        description = "Show records as the model sees them: tokens, which of them are supervised, images, boxes.")
final class DataShowCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private DataSetOptions options = new DataSetOptions();

    @Option(
            names = "--index",
            split = ",",
            paramLabel = "N",
            description = "Indices in the file, from 0, as in the messages of validate; repeatable.")
    private List<Integer> indices = new ArrayList<>();

    @Option(names = "--id", paramLabel = "ID", description = "Records with this id; repeatable.")
    private List<String> ids = new ArrayList<>();

    @Option(
            names = {"-n", "--count"},
            paramLabel = "N",
            description = "Number of records, unless --index or --id is given (default: ${DEFAULT-VALUE}).")
    private int count = 3;

    @Option(names = "--random", paramLabel = "SEED", description = "Draw records at random instead of the first ones.")
    private @Nullable Long seed;

    @Option(names = "--html", paramLabel = "OUT", description = "Write a gallery page instead of printing.")
    private @Nullable Path html;

    @Option(names = "--png", paramLabel = "DIR", description = "Write a PNG of each record instead of printing.")
    private @Nullable Path png;

    @Option(names = "--color", description = "always, never, or auto (default): if stdout is a terminal.")
    private Colour colour = Colour.AUTO;

    /** When to print colours. */
    enum Colour {
        AUTO,
        ALWAYS,
        NEVER
    }

    private DataShowCommand() {}

    @Override
    public Integer call() {
        if (count < 1) {
            throw new ParameterException(spec.commandLine(), "--count must be 1 or more, not " + count);
        }
        SamplePrompts prompts = options.requirePrompts();
        ImagePreparation preparation = options.preparation();
        try (LlavaData data = options.read(Policy.SKIP)) {
            Images images = options.images(data);
            List<SamplePreview> samples = choose(data).stream()
                    .map(i -> SamplePreview.of(
                            data.indices()[i],
                            data.records().get(i),
                            prompts,
                            preparation,
                            images,
                            options.orientation()))
                    .toList();
            PrintWriter out = spec.commandLine().getOut();
            if (html != null) {
                String template = prompts.builder().template().name();
                GalleryPage.write(html, data.file(), samples, template, prompts.maxLength());
                out.println(html);
            }
            if (png != null) {
                for (SamplePreview sample : samples) {
                    Path target = png.resolve("record-%06d.png".formatted(sample.index()));
                    AtomicFiles.write(target, SamplePainter.sample(sample));
                    out.println(target);
                }
            }
            if (html == null && png == null) {
                SampleText text = new SampleText(colours());
                samples.forEach(sample -> out.println(text.render(sample)));
            }
            out.flush();
        }
        return CommandLine.ExitCode.OK;
    }

    private boolean colours() {
        return switch (colour) {
            case ALWAYS -> true;
            case NEVER -> false;
            case AUTO -> System.console() != null && System.console().isTerminal() && System.getenv("NO_COLOR") == null;
        };
    }

    private Set<Integer> choose(LlavaData data) {
        Set<Integer> chosen = new LinkedHashSet<>();
        for (int index : indices) {
            int position = Arrays.binarySearch(data.indices(), index);
            if (position < 0) {
                String reason = data.skipped().stream()
                        .filter(skipped -> skipped.index() == index)
                        .map(skipped -> "is malformed: " + skipped.reason())
                        .findFirst()
                        .orElse("does not exist; the file has %d records"
                                .formatted(
                                        data.records().size() + data.skipped().size()));
                throw new DataException("%s: record %d %s".formatted(data.file(), index, reason));
            }
            chosen.add(position);
        }
        for (String id : ids) {
            int before = chosen.size();
            for (int i = 0; i < data.records().size(); i++) {
                if (data.records().get(i).id().equals(id)) {
                    chosen.add(i);
                }
            }
            if (chosen.size() == before) {
                throw new DataException(
                        "%s has no usable record with id '%s'; check it with data validate".formatted(data.file(), id));
            }
        }
        int wanted = Math.min(count, data.records().size());
        if (chosen.isEmpty() && seed != null) {
            SplittableRandom random = new SplittableRandom(seed);
            while (chosen.size() < wanted) {
                chosen.add(random.nextInt(data.records().size()));
            }
        }
        for (int i = 0; chosen.isEmpty() || (indices.isEmpty() && ids.isEmpty() && chosen.size() < wanted); i++) {
            chosen.add(i);
        }
        return chosen;
    }
}
