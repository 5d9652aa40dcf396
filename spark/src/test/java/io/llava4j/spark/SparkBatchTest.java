package io.llava4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.image.AspectMode;
import io.llava4j.io.Shard;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.text.VocabularyTrainer;
import io.llava4j.train.batch.BatchSummary;
import io.llava4j.train.batch.BatchTask;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Compares answers of a cluster with those of one machine; the model is tiny and random. */
class SparkBatchTest {
    private static final int RECORDS = 60;

    @TempDir
    private static Path shared;

    private static Path model;
    private static Path questions;
    private static Path requests;
    private static Path images;

    @TempDir
    private Path dir;

    @BeforeAll
    static void write() throws IOException {
        Path tokenizer = shared.resolve("tokenizer");
        int vocabulary = VocabularyTrainer.train(
                        List.of("what is in the image? a cat", "USER: ASSISTANT: the dog is red and the cat is blue")
                                .iterator(),
                        VocabularyTrainer.MIN_SIZE + 20,
                        tokenizer)
                .vocabSize();
        ModelKind kind = new ModelKind.Llava(new LlavaConfig(
                new VisionConfig(16, 32, 2, 2, 28, 14, 1e-5, "quick_gelu", List.of()),
                new TextConfig(16, 32, 2, 2, 2, vocabulary, 256, 1e-5, 10000, false, 1, 2, 0),
                "mlp2x_gelu",
                -2,
                false,
                AspectMode.PAD,
                -1,
                0));
        Random random = new Random(3);
        List<TensorSource> tensors = new ArrayList<>();
        ExpectedTensors.of(kind).shapes().forEach((name, shape) -> {
            float[] values = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian() * 0.3f;
            }
            tensors.add(TensorSource.of(name, values, shape));
        });
        model = shared.resolve("model");
        CheckpointWriter.save(model, kind, tokenizer, tensors);
        images = Files.createDirectories(shared.resolve("images"));
        for (int i = 0; i < 3; i++) {
            BufferedImage image = new BufferedImage(20 + i, 10, BufferedImage.TYPE_INT_RGB);
            image.setRGB(i, i, 0xff0000 >> 4 * i);
            ImageIO.write(image, "png", images.resolve(i + ".png").toFile());
        }
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < RECORDS; i++) {
            String image = i == 7 ? "missing" : Integer.toString(i % 3);
            lines.append("{\"question_id\": %d, \"image\": \"%s.png\", \"text\": \"what is in the image? %d\"}\n"
                    .formatted(100 + i, image, i));
        }
        questions = Files.writeString(shared.resolve("questions.jsonl"), lines);
        requests = writeRequests();
    }

    /** Requests with images inside; three cannot be answered. */
    private static Path writeRequests() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < RECORDS; i++) {
            String image = Base64.getEncoder().encodeToString(Files.readAllBytes(images.resolve(i % 3 + ".png")));
            lines.append("""
                    {"custom_id": "%s", "url": "/v1/chat/completions", "body": {"model": "%s", "temperature": 0.9, \
                    "max_tokens": 60, "messages": [{"role": "user", "content": [{"type": "text", "text": "what is it? %d"}, \
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,%s"}}]}]}%s
                    """.formatted(i == 11 ? 5 : i, i == 30 ? "another" : "tiny", i, image, i == 20 ? "" : "}"));
        }
        return Files.writeString(shared.resolve("requests.jsonl"), lines);
    }

    private static BatchArguments arguments(Path output, String... more) {
        return arguments(model, output, more);
    }

    private static BatchArguments arguments(Path model, Path output, String... more) {
        List<String> all = new ArrayList<>(
                List.of("--images", images.toString(), "--temperature", "0.9", "--max-new-tokens", "60"));
        all.addAll(List.of(more));
        return job(model, questions, output, all);
    }

    private static BatchArguments ofRequests(Path output) {
        return job(model, requests, output, List.of("--alias", "tiny", "--seed", "3"));
    }

    private static BatchArguments job(Path model, Path input, Path output, List<String> more) {
        List<String> all = new ArrayList<>(List.of(input.toString(), "-m", model.toString(), "-o", output.toString()));
        all.addAll(more);
        CommandLine command = BatchJob.commandLine();
        command.parseArgs(all.toArray(String[]::new));
        return command.<BatchJob>getCommand().arguments();
    }

    private byte[] onOneMachine() throws IOException {
        return onOneMachine(arguments(dir.resolve("whole.jsonl"), "--retry-failed"));
    }

    private byte[] onOneMachine(BatchArguments arguments) throws IOException {
        try (BatchTask task = arguments.open()) {
            assertThat(task.run(null, (done, total, failed) -> {}).complete()).isTrue();
            return Files.readAllBytes(task.target(null));
        }
    }

    private static byte[] joined(Path output, int shards) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 1; i <= shards; i++) {
            Files.copy(new Shard(i, shards).file(output), all);
        }
        return all.toByteArray();
    }

    private SparkConf conf(String master) {
        return new SparkConf()
                .setMaster(master)
                .setAppName("test")
                .set("spark.ui.enabled", "false")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.driver.bindAddress", "127.0.0.1")
                .set("spark.local.dir", dir.resolve("spark").toString());
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(dir)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.contains("answers"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void sameBytesAsOnOneMachineAndOnlyMissingShardsAreAnswered() throws IOException {
        byte[] whole = onOneMachine();
        Path output = dir.resolve("answers.jsonl");
        List<String> log = new ArrayList<>();
        try (JavaSparkContext spark = new JavaSparkContext(conf("local[2]"))) {
            BatchSummary summary = SparkBatch.run(spark, arguments(output), 5, log::add);
            assertThat(joined(output, 5)).isEqualTo(whole);
            assertThat(summary.complete()).isTrue();
            assertThat(summary.records()).isEqualTo(RECORDS);
            assertThat(summary.answered()).isEqualTo(RECORDS - 1);
            assertThat(summary.failed()).isEqualTo(1);
            assertThat(summary.failures()).singleElement().asString().contains("record 7", "missing.png");
            assertThat(summary.answerTokens()).isPositive();

            // The state after a killed job: a missing shard, the files of an attempt.
            Path second = new Shard(2, 5).file(output);
            Files.delete(second);
            Files.writeString(dir.resolve(".answers.2-of-5.jsonl.attempt-app-7.part"), "{");
            BatchSummary again = SparkBatch.run(spark, arguments(output), 5, log::add);
            assertThat(joined(output, 5)).isEqualTo(whole);
            assertThat(again.answered()).isEqualTo(RECORDS - 1);
            assertThat(again.earlier()).isEqualTo(RECORDS - 12);
            assertThat(log.getLast()).contains("in 5 shards, 1 of which");
            assertThat(files()).hasSize(10).allMatch(name -> name.startsWith("answers."));

            Files.copy(images.resolve("1.png"), images.resolve("missing.png"));
            try {
                BatchSummary mended = SparkBatch.run(spark, arguments(output, "--retry-failed"), 5, log::add);
                assertThat(log.getLast()).contains("in 5 shards, 1 of which");
                assertThat(mended.failed()).isZero();
                assertThat(mended.earlier()).isEqualTo(RECORDS - 1);
                assertThat(joined(output, 5)).isEqualTo(onOneMachine());
            } finally {
                Files.delete(images.resolve("missing.png"));
            }
            whole = Files.readAllBytes(dir.resolve("whole.jsonl"));

            assertThatThrownBy(() -> SparkBatch.run(spark, arguments(output, "--seed", "4"), 5, log::add))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("belongs to a run with another model");
        }
        // One machine joins the shards without a model.
        try (BatchTask task = arguments(output).open()) {
            assertThat(task.run(null, (done, total, failed) -> {}).earlier()).isEqualTo(RECORDS);
        }
        assertThat(output).hasBinaryContent(whole);
    }

    @Test
    void aModelThatCannotBeReadIsOneSentence() throws IOException {
        Path damaged = Files.createDirectories(dir.resolve("damaged"));
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.toList()) {
                Files.copy(file, damaged.resolve(file.getFileName()));
            }
        }
        Files.writeString(damaged.resolve("model.safetensors"), "no weights");
        try (JavaSparkContext spark = new JavaSparkContext(conf("local[2]"))) {
            assertThatThrownBy(() ->
                            SparkBatch.run(spark, arguments(damaged, dir.resolve("answers.jsonl")), 16, line -> {}))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("model.safetensors");
        }
    }

    @Test
    void requestsInOpenAisFormat() throws IOException {
        byte[] whole = onOneMachine(ofRequests(dir.resolve("whole.jsonl")));
        Path output = dir.resolve("answers.jsonl");
        try (JavaSparkContext spark = new JavaSparkContext(conf("local[2]"))) {
            BatchSummary summary = SparkBatch.run(spark, ofRequests(output), 7, line -> {});
            assertThat(joined(output, 7)).isEqualTo(whole);
            assertThat(summary.answered()).isEqualTo(RECORDS - 3);
            assertThat(summary.failures())
                    .hasSize(3)
                    .anySatisfy(line -> assertThat(line).contains("line 12", "custom_id"))
                    .anySatisfy(line -> assertThat(line).contains("line 21"))
                    .anySatisfy(line -> assertThat(line).contains("line 31", "another"));
        }
    }

    @Test
    void optionsThatTheInputHasNoUseForAreWrongCommandLines() {
        assertThatThrownBy(() -> job(model, requests, dir.resolve("a.jsonl"), List.of("--temperature", "1"))
                        .look())
                .isInstanceOf(ParameterException.class)
                .hasMessageContaining("--temperature is of no use here")
                .extracting(e -> ((ParameterException) e).getCommandLine().getCommandName())
                .isEqualTo(BatchJob.COMMAND);
    }

    /** Two executors of their own; of each input's, one is killed when the first shard is there. */
    @Test
    void aKilledExecutorChangesNothing() throws Exception {
        Path home = dir.resolve("home");
        Files.createDirectories(home.resolve("jars")); // empty: executors get this test's class path
        Files.createDirectories(home.resolve("launcher/target/scala-2.13"));
        System.setProperty("spark.testing", "true");
        System.setProperty("spark.test.home", home.toString());
        try (JavaSparkContext spark = new JavaSparkContext(conf("local-cluster[2,1,1024]")
                .set("spark.executor.memory", "1g")
                .set("spark.executorEnv.JAVA_HOME", System.getProperty("java.home"))
                .set("spark.executor.extraClassPath", System.getProperty("java.class.path")))) {
            answersWithAKilledExecutor(
                    spark, onOneMachine(), arguments(dir.resolve("answers.jsonl")), dir.resolve("answers.jsonl"));
            Path responses = dir.resolve("responses.jsonl");
            answersWithAKilledExecutor(
                    spark,
                    onOneMachine(ofRequests(dir.resolve("whole-responses.jsonl"))),
                    ofRequests(responses),
                    responses);
        } finally {
            System.clearProperty("spark.testing");
            System.clearProperty("spark.test.home");
        }
        assertThat(files()).allMatch(name -> name.startsWith("answers."));
    }

    private void answersWithAKilledExecutor(JavaSparkContext spark, byte[] whole, BatchArguments arguments, Path output)
            throws Exception {
        Thread killer = Thread.ofPlatform().daemon().start(() -> {
            while (true) {
                try {
                    Thread.sleep(20);
                    List<ProcessHandle> executors = executors();
                    boolean begun = IntStream.rangeClosed(1, 12)
                            .anyMatch(shard -> Files.exists(new Shard(shard, 12).file(output)));
                    if (begun && !executors.isEmpty()) {
                        executors.getFirst().destroyForcibly();
                        return;
                    }
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
        BatchSummary summary = SparkBatch.run(spark, arguments, 12, line -> {});
        assertThat(summary.complete()).isTrue();
        assertThat(joined(output, 12)).isEqualTo(whole);
        killer.join(1000);
        assertThat(killer.isAlive()).as("an executor was killed").isFalse();
    }

    private static List<ProcessHandle> executors() {
        return ProcessHandle.current()
                .descendants()
                .filter(SparkBatchTest::isExecutor)
                .toList();
    }

    /** The JDK shows no more than a page of a command line, and class paths are long. */
    private static boolean isExecutor(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"))
                    .contains("CoarseGrainedExecutorBackend");
        } catch (IOException e) {
            return false; // it has ended
        }
    }
}
