package io.llava4j.nano.raw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.Sprites;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.Role;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Box;
import io.llava4j.train.data.Boxes;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.mixture.Manifest;
import io.llava4j.train.data.mixture.MixtureBuilder;
import io.llava4j.train.data.mixture.MixtureRecipe;
import io.llava4j.train.data.mixture.RawFixture;
import io.llava4j.train.data.mixture.RawFixture.Built;
import io.llava4j.train.data.mixture.Rule;
import io.llava4j.train.data.mixture.SourceReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every mixture, shown on the nano world's: raw files of all ten sources, the real recipe's rules. */
class MixturePropertyTest {
    private static final Path RECIPES = Path.of("../recipes/data");
    private static final Path TOKENIZER = Path.of("../models/nano-tokenizer");
    private static final String USE_TOKENIZER = "tokenizer='" + TOKENIZER + "'";

    @TempDir
    private static Path nano;

    private static RawFixture raw;

    @BeforeAll
    static void writeRawFiles() {
        NanoWorld.write(
                nano.resolve("n"),
                new NanoWorldOptions(3, 32, 5, 400, 0, 0, 4, QuestionShares.DEFAULT, false),
                new Sprites(Drawings.load()),
                2,
                (done, total) -> {});
        raw = new RawFixture(nano.resolve("n"));
    }

    private static Built build(long seed, int threads, String... settings) throws IOException {
        List<String> all = new ArrayList<>(Arrays.asList(settings));
        all.add(USE_TOKENIZER);
        all.add("images='" + nano.resolve("n/images") + "'");
        return raw.build(RECIPES.resolve("nano-mix.yaml"), seed, threads, all.toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 42, -7})
    void sameSeedGivesTheSameBytesForAnyThreads(long seed) throws IOException {
        Built one = build(seed, 1);
        Built many = build(seed, 4);
        for (String file : List.of("nano-mix.json", "left-out.jsonl", "README.md", "manifest.json")) {
            assertThat(many.folder().resolve(file))
                    .hasSameBinaryContentAs(one.folder().resolve(file));
        }
        assertThat(build(seed + 1, 1).manifest().sha256())
                .isNotEqualTo(one.manifest().sha256());
    }

    @Test
    void allSourcesAreBuiltCompletely() throws IOException {
        Manifest manifest = build(1, 2).manifest();
        assertThat(manifest.sources()).hasSize(10).allSatisfy(source -> {
            assertThat(source.records()).as(source.name()).isPositive();
            assertThat(source.leftOut()).as(source.name()).isEmpty();
        });
        assertThat(manifest.textOnly()).isEqualTo(24);
    }

    @Test
    void sourcesHaveThePapersShares() throws IOException {
        MixtureRecipe paper = MixtureRecipe.load(RECIPES.resolve("mix665k.yaml"), Map.of());
        Manifest manifest = build(1, 2).manifest();
        for (SourceReport source : manifest.sources()) {
            int expected = Objects.requireNonNull(
                    Objects.requireNonNull(paper.sources().get(source.name())).expected());
            // Four copies of an A-OKVQA question; an image of RefCOCO gives one conversation, seldom two or none.
            int unit = source.name().equals("a-okvqa") || source.name().equals("refcoco") ? 4 : 1;
            assertThat((double) source.records())
                    .as(source.name())
                    .isCloseTo(400.0 * expected / 665_298, within((double) unit));
        }
        assertThat(manifest.records()).isBetween(394, 406);
    }

    @Test
    void idAndImageIdentifyARecord() throws IOException {
        Set<String> seen = new HashSet<>();
        assertThat(build(1, 2).records()).allMatch(record -> seen.add(record.id() + " " + record.images()));
    }

    @Test
    void everySupervisedTokenDecodesBackToItsAnswer() throws IOException {
        SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(TOKENIZER);
        PromptBuilder prompts = new PromptBuilder(tokenizer, ConversationTemplate.V1);
        for (LlavaRecord record : build(5, 2).records()) {
            Prompt prompt = prompts.training(record.turns(), record.images().size(), 100_000);
            List<String> supervised = new ArrayList<>();
            List<Integer> answer = new ArrayList<>();
            for (int label : prompt.labels()) {
                if (label == tokenizer.eosId()) {
                    supervised.add(tokenizer
                            .decode(answer.stream().mapToInt(Integer::intValue).toArray(), true)
                            .strip());
                    answer.clear();
                } else if (label != Prompt.IGNORE_INDEX) {
                    answer.add(label);
                }
            }
            assertThat(answer).as(record.id()).isEmpty();
            assertThat(supervised)
                    .as(record.id())
                    .isEqualTo(record.turns().stream()
                            .filter(turn -> turn.role() == Role.ASSISTANT)
                            .map(Turn::text)
                            .toList());
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void boxesRoundTripThroughTextWithinRounding(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 500; i++) {
            int width = random.nextInt(1, 2000);
            int height = random.nextInt(1, 2000);
            double x = random.nextDouble(width);
            double y = random.nextDouble(height);
            double boxWidth = random.nextDouble(width - x);
            double boxHeight = random.nextDouble(height - y);
            Box box = Boxes.onPaddedSquare(width, height, x, y, boxWidth, boxHeight);
            Box read = Boxes.parse(Boxes.text(box)).orElseThrow();
            assertThat(read.isInside()).isTrue();
            double[] pixels = Boxes.toPixels(read, width, height);
            double rounding = 0.005 * Math.max(width, height) + 1e-6;
            double[] wanted = {x, y, x + boxWidth, y + boxHeight};
            for (int k = 0; k < 4; k++) {
                assertThat(Math.abs(pixels[k] - wanted[k])).isLessThanOrEqualTo(rounding);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {80, 120, 300})
    void longChatsAreTruncatedAfterAnAnswer(int most, @TempDir Path dir) {
        StringBuilder turns = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            turns.append(
                    "%s{\"from\": \"human\", \"value\": \"How much is %d plus %d?\"}, {\"from\": \"gpt\", \"value\": \"It is %d, if I am right about it.\"}"
                            .formatted(i == 0 ? "" : ", ", i, i, 2 * i));
        }
        String only =
                "{\"id\": \"b\", \"conversations\": [{\"from\": \"human\", \"value\": \"Count.\"}, {\"from\": \"gpt\", \"value\": \""
                        + "one two three ".repeat(200).strip() + "\"}]}";
        String asks = "{\"id\": \"c\", \"conversations\": [{\"from\": \"human\", \"value\": \""
                + "why oh why ".repeat(200) + "\"}, {\"from\": \"gpt\", \"value\": \"No.\"}]}";
        Built built = new RawFixture(dir)
                .file("s.json", "[{\"id\": \"a\", \"conversations\": [" + turns + "]}, " + only + ", " + asks + "]")
                .build("kind: sharegpt\nfiles: {chats: s.json}", USE_TOKENIZER, "max-tokens=" + most);
        PromptBuilder prompts = new PromptBuilder(SentencePieceTokenizer.load(TOKENIZER), ConversationTemplate.V1);
        assertThat(built.records())
                .hasSize(2)
                .allSatisfy(record -> assertThat(
                                prompts.training(record.turns(), 0, 100_000).length())
                        .isLessThanOrEqualTo(most));
        LlavaRecord chat = built.records().getFirst();
        assertThat(chat.turns().getLast().text()).endsWith("about it.");
        List<Turn> longer = new ArrayList<>(chat.turns());
        int next = chat.turns().size() / 2;
        longer.add(Turn.human("How much is %d plus %d?".formatted(next, next)));
        longer.add(Turn.assistant("It is %d, if I am right about it.".formatted(2 * next)));
        assertThat(prompts.training(longer, 0, 100_000).length()).isGreaterThan(most);
        assertThat("one two three ".repeat(200)).startsWith(built.texts(1).get(1) + " ");
        assertThat(built.counts()).isEqualTo(Map.of("max-tokens", 1));
    }

    @Test
    void stoppedBuildResumesWithUnfinishedSources() throws IOException {
        Path out = nano.resolve("resumed");
        MixtureRecipe recipe = MixtureRecipe.load(
                RECIPES.resolve("nano-mix.yaml"),
                Map.of("raw", "'" + nano.resolve("n/raw") + "'", "images", "null", "tokenizer", "'" + TOKENIZER + "'"));
        AtomicInteger asked = new AtomicInteger();
        Optional<MixtureBuilder.Result> stopped = MixtureBuilder.build(
                recipe,
                out,
                new MixtureBuilder.Options(
                        MixtureBuilder.Format.JSONL, 1, (done, total) -> {}, () -> asked.incrementAndGet() > 12));
        assertThat(stopped).isEmpty();
        assertThat(out.resolve("manifest.json")).doesNotExist();
        try (Stream<Path> files = Files.list(out.resolve(".build"))) {
            assertThat(files.filter(file -> file.toString().endsWith(".done"))).isNotEmpty();
        }
        MixtureBuilder.Options rest =
                new MixtureBuilder.Options(MixtureBuilder.Format.JSONL, 2, (done, total) -> {}, () -> false);
        Manifest resumed = MixtureBuilder.build(recipe, out, rest).orElseThrow().manifest();
        Manifest unbroken = MixtureBuilder.build(recipe, nano.resolve("unbroken"), rest)
                .orElseThrow()
                .manifest();
        assertThat(resumed).isEqualTo(unbroken);
        assertThat(out.resolve(".build")).doesNotExist();
        assertThat(MixtureBuilder.build(recipe, out, rest).orElseThrow().reused())
                .isTrue();
    }

    @Test
    void everyRuleIsDocumented() throws IOException {
        String docs = Files.readString(Path.of("../docs/data.md"));
        assertThat(Arrays.stream(Rule.values()).map(rule -> "`" + rule.key() + "`"))
                .allMatch(docs::contains);
        List<String> anchors = Files.readAllLines(Path.of("../docs/reference/data.md")).stream()
                .filter(line -> line.startsWith("## "))
                .map(line -> line.substring(3).toLowerCase(Locale.ROOT).replace(' ', '-'))
                .toList();
        assertThat(Arrays.stream(Rule.values()).map(Rule::section)).allMatch(anchors::contains);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mix665k.yaml", "lcs558k.yaml", "nano-mix.yaml", "nano-lcs.yaml"})
    void shippedRecipesLoad(String recipe) {
        MixtureRecipe loaded = MixtureRecipe.load(RECIPES.resolve(recipe), Map.of());
        if (recipe.equals("mix665k.yaml")) {
            assertThat(loaded.sources().values().stream()
                            .mapToInt(source -> source.expected() == null ? 0 : source.expected())
                            .sum())
                    .isEqualTo(665_298);
        }
    }
}
