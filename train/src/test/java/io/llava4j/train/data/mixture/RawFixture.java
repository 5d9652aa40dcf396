package io.llava4j.train.data.mixture;

import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.Policy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Small raw files of one source, and mixtures built of them. */
public final class RawFixture {
    private final Path dir;
    private int builds;

    public RawFixture(Path dir) {
        this.dir = dir;
    }

    public RawFixture file(String name, String content) {
        try {
            Path file = dir.resolve("raw").resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, content);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Builds a mixture of one source {@code s} that is described in YAML, with rules switched as given. */
    public Built build(String source, String... settings) {
        return build(source, 1, 1, settings);
    }

    public Built build(String source, long seed, int threads, String... settings) {
        try {
            Path recipe = dir.resolve("recipe.yaml");
            Files.writeString(recipe, "name: m\nshuffle: false\nsources:\n  s:\n" + source.indent(4));
            return build(recipe, seed, threads, settings);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Built build(Path recipe, long seed, int threads, String... settings) throws IOException {
        Map<String, String> overrides = new LinkedHashMap<>();
        overrides.put("raw", "'" + dir.resolve("raw") + "'");
        overrides.put("seed", Long.toString(seed));
        for (String setting : settings) {
            String[] parts = setting.split("=", 2);
            overrides.put(parts[0], parts[1]);
        }
        Path out = dir.resolve("out" + builds++);
        Manifest manifest = MixtureBuilder.build(
                        MixtureRecipe.load(recipe, overrides),
                        out,
                        new MixtureBuilder.Options(
                                MixtureBuilder.Format.JSON, threads, (done, total) -> {}, () -> false))
                .orElseThrow()
                .manifest();
        Path file = out.resolve(manifest.file());
        return new Built(
                manifest,
                LlavaFiles.read(file, Policy.FAIL).records(),
                Files.readAllLines(out.resolve("left-out.jsonl")),
                out);
    }

    /** What was built. */
    public record Built(Manifest manifest, List<LlavaRecord> records, List<String> leftOut, Path folder) {
        public Map<String, Integer> counts() {
            return manifest.sources().getFirst().leftOut();
        }

        public List<String> texts(int record) {
            return records.get(record).turns().stream().map(Turn::text).toList();
        }
    }
}
