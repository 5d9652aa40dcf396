package io.llava4j.app;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The directions of the house (ARCHITECTURE.md): app to nano, nano to train and eval, these to core; and inside core. */
class ArchitectureTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final List<String> MODULES = List.of("core", "train", "eval", "nano", "app", "spark", "langchain4j");
    private static final int MAX_LINES = 350;
    private static final int MAX_FILES = 25;

    /** Packages with more files, each with the reason. */
    private static final Map<String, String> LARGE_PACKAGES = Map.ofEntries(
            Map.entry("app/cli", "one class per verb and per group of options, as the help shows them"),
            Map.entry(
                    "generate", "what an embedder sees: a model to load, in which weights, a question and its answer"),
            Map.entry(
                    "generate/constrain",
                    "one automaton: a class for each kind of node, and the schemas that it is made from"),
            Map.entry("text", "one tokenizer with its two file formats and its trainer, and the prompts made with it"),
            Map.entry("tensor/kernel", "the packed layout and the code that knows it, which no other package sees"),
            Map.entry("train/data", "the way of a record from its file to a batch, with the order of the records"),
            Map.entry("train/data/format", "a reader for each shape of data, and what they share"),
            Map.entry("train/data/mixture", "the rules and steps of one build, a class for each"),
            Map.entry("train/data/raw", "a reader for each raw data set, and the schemas they share"),
            Map.entry("train/run", "one training run: its loop, losses, states and what they need"));

    private static final String ENGINE = "org.bytedeco..";
    private static final String[] CORE = {
        "io.llava4j",
        "io.llava4j.io..",
        "io.llava4j.image..",
        "io.llava4j.text..",
        "io.llava4j.tensor..",
        "io.llava4j.model..",
        "io.llava4j.checkpoint..",
        "io.llava4j.generate.."
    };

    private static JavaClasses all;

    @BeforeAll
    static void read() {
        all = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(location -> !location.contains("-tests.jar")) // fixtures of other modules' tests
                .importPackages("io.llava4j");
    }

    /** A rule over classes that were not read would hold for nothing. */
    @Test
    void everyModuleIsRead() {
        assertThat(all.stream().map(JavaClass::getPackageName))
                .contains(
                        "io.llava4j.image",
                        "io.llava4j.train.run",
                        "io.llava4j.eval.score",
                        "io.llava4j.nano.world",
                        "io.llava4j.app.cli");
    }

    @Test
    void coreKnowsNoOtherModule() {
        forbid(CORE, "io.llava4j.train..", "io.llava4j.eval..", "io.llava4j.nano..", "io.llava4j.app..");
    }

    @Test
    void trainAndEvalKnowNeitherEachOtherNorTheNanoWorld() {
        forbid("io.llava4j.train..", "io.llava4j.eval..", "io.llava4j.nano..", "io.llava4j.app..");
        forbid("io.llava4j.eval..", "io.llava4j.train..", "io.llava4j.nano..", "io.llava4j.app..");
    }

    @Test
    void nanoDoesNotKnowTheCommand() {
        forbid("io.llava4j.nano..", "io.llava4j.app..");
    }

    /** The command builds and runs without the module that is submitted to a cluster. */
    @Test
    void nothingHereKnowsSpark() {
        forbid("io.llava4j..", "io.llava4j.spark..", "org.apache.spark..", "scala..");
    }

    /**
     * Of the command it knows what its jobs have in common with a verb. Spark's classes are not on this module's class path, so its
     * sources are read.
     */
    @Test
    void sparkKnowsTrainCoreAndOptionsOfTheCommandOnly() throws IOException {
        List<String> imports = new ArrayList<>();
        for (Path file : sources("spark")) {
            for (String line : Files.readAllLines(file)) {
                if (line.matches("import (static )?io\\.llava4j\\.(eval|nano|app)\\..*")
                        && !line.matches("import io\\.llava4j\\.app\\.cli\\.(BatchOptions|BuildInfo|Errors);")) {
                    imports.add(file.getFileName() + ": " + line);
                }
            }
        }
        assertThat(imports).isEmpty();
    }

    /** Measurements and reference checks (app.bench, app.verify) handle tensors themselves. */
    @Test
    void onlyTensorCodeImportsTheEngine() {
        noClasses()
                .that(resideInAPackage("io.llava4j..")
                        .and(DescribedPredicate.not(resideInAnyPackage(
                                "io.llava4j.tensor",
                                "io.llava4j.tensor.collective",
                                "io.llava4j.model..",
                                "io.llava4j.generate..",
                                "io.llava4j.train.run..",
                                "io.llava4j.nano.pretrain..",
                                "io.llava4j.app.bench..",
                                "io.llava4j.app.verify.."))))
                .should()
                .dependOnClassesThat(resideInAPackage(ENGINE))
                .check(all);
    }

    @Test
    void imageAndTextKnowNeitherFilesNorTensorsNorModels() {
        forbid(
                new String[] {"io.llava4j.image..", "io.llava4j.text.."},
                "io.llava4j.tensor..",
                "io.llava4j.model..",
                "io.llava4j.checkpoint..",
                "io.llava4j.generate..");
    }

    /** Atomic files, strict JSON and the formats of tensors stand at the bottom of core. */
    @Test
    void filesAndFormatsOfTensorsKnowNobodyAbove() {
        forbid(
                new String[] {"io.llava4j.io..", "io.llava4j.tensor.format.."},
                "io.llava4j.image..",
                "io.llava4j.text..",
                "io.llava4j.tensor",
                "io.llava4j.model..",
                "io.llava4j.checkpoint..",
                "io.llava4j.generate..");
    }

    /** The readers and writers of one file format each; those of configurations build the model's records. */
    @Test
    void fileFormatsKnowNoModel() {
        forbid(
                new String[] {"io.llava4j.checkpoint.safetensors..", "io.llava4j.checkpoint.torch.."},
                "io.llava4j.model..",
                "io.llava4j.text..",
                "io.llava4j.image..");
    }

    @Test
    void checkpointsKnowOnlyTheModelsConfiguration() {
        forbid("io.llava4j.checkpoint..", "io.llava4j.tensor", "io.llava4j.model", "io.llava4j.generate..");
    }

    /** Shapes of networks, and names and shapes of their tensors. */
    @Test
    void configurationsOfModelsKnowNoModel() {
        forbid(
                "io.llava4j.model.config..",
                ENGINE,
                "io.llava4j.tensor..",
                "io.llava4j.model",
                "io.llava4j.checkpoint..",
                "io.llava4j.generate..");
    }

    @Test
    void modelKnowsNeitherFilesNorDecoding() {
        forbid("io.llava4j.model..", "io.llava4j.checkpoint..", "io.llava4j.generate..");
        forbid("io.llava4j.tensor..", "io.llava4j.model..", "io.llava4j.checkpoint..", "io.llava4j.generate..");
    }

    /** Data, and the run of a training, serve every recipe; the binding of files to records serves every section. */
    @Test
    void dataAndRunsKnowNoRecipe() {
        forbid("io.llava4j.train.data..", "io.llava4j.train.recipe..", "io.llava4j.train.run..");
        forbid("io.llava4j.train.run..", "io.llava4j.train.recipe..");
        forbid(
                "io.llava4j.train.config..",
                "io.llava4j.train.data..",
                "io.llava4j.train.recipe..",
                "io.llava4j.train.run..");
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("io.llava4j.(**)").should().beFreeOfCycles().check(all);
    }

    /** Packages with all that lies in them: a cycle through two of their subpackages is a cycle as well. */
    @ParameterizedTest
    @ValueSource(strings = {"", "checkpoint.", "train.", "eval.", "nano.", "app."})
    void packagesAtModuleDepthHaveNoCycles(String module) {
        slices().matching("io.llava4j." + module + "(*)..")
                .should()
                .beFreeOfCycles()
                .check(all);
    }

    @Test
    void filesAreShort() throws IOException {
        List<String> tooLong = new ArrayList<>();
        for (String module : MODULES) {
            for (Path file : sources(module)) {
                int lines = Files.readAllLines(file).size();
                if (lines > MAX_LINES) {
                    tooLong.add(file.getFileName() + ": " + lines);
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }

    @Test
    void packagesAreSmallUnlessThereIsAReason() throws IOException {
        Map<String, Integer> files = new TreeMap<>();
        for (String module : MODULES) {
            for (Path file : sources(module)) {
                String folder = file.getParent().toString().replace('\\', '/');
                files.merge(
                        folder.substring(folder.indexOf("/io/llava4j/") + "/io/llava4j/".length()), 1, Integer::sum);
            }
        }
        files.values().removeIf(count -> count <= MAX_FILES);
        assertThat(files.keySet()).isEqualTo(LARGE_PACKAGES.keySet());
    }

    private static List<Path> sources(String module) throws IOException {
        try (Stream<Path> found = Files.walk(ROOT.resolve(module).resolve("src/main/java/io/llava4j"))) {
            List<Path> files = found.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.endsWith("package-info.java"))
                    .toList();
            assertThat(files).isNotEmpty();
            return files;
        }
    }

    private static void forbid(String from, String... to) {
        forbid(new String[] {from}, to);
    }

    private static void forbid(String[] from, String... to) {
        noClasses()
                .that(resideInAnyPackage(from))
                .should()
                .dependOnClassesThat(resideInAnyPackage(to))
                .check(all);
    }
}
