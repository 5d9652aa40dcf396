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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The directions of the house: app to eval and train, these to core, and the order inside core. */
class ArchitectureTest {
    private static final String ENGINE = "org.bytedeco..";
    private static final String[] CORE = {
        "io.llava4j",
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
                .importPackages("io.llava4j");
    }

    /** A rule over classes that were not read would hold for nothing. */
    @Test
    void everyModuleIsRead() {
        assertThat(all.stream().map(JavaClass::getPackageName))
                .contains("io.llava4j.image", "io.llava4j.train.recipe", "io.llava4j.app.cli");
    }

    @Test
    void coreKnowsNoOtherModule() {
        noClasses()
                .that(resideInAnyPackage(CORE))
                .should()
                .dependOnClassesThat(resideInAnyPackage("io.llava4j.train..", "io.llava4j.eval..", "io.llava4j.app.."))
                .check(all);
    }

    @Test
    void trainAndEvalDoNotKnowEachOther() {
        noClasses()
                .that(resideInAPackage("io.llava4j.train.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage("io.llava4j.eval..", "io.llava4j.app.."))
                .check(all);
        noClasses()
                .that(resideInAPackage("io.llava4j.eval.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage("io.llava4j.train..", "io.llava4j.app.."))
                .allowEmptyShould(true)
                .check(all);
    }

    /** app.bench is free to use the engine: it times the engine's own operations. */
    @Test
    void onlyTensorCodeImportsTheEngine() {
        noClasses()
                .that(resideInAPackage("io.llava4j..")
                        .and(DescribedPredicate.not(resideInAnyPackage(
                                "io.llava4j.tensor..",
                                "io.llava4j.model..",
                                "io.llava4j.generate..",
                                "io.llava4j.train.run..",
                                // measurements and reference checks handle tensors themselves
                                "io.llava4j.app.bench..",
                                "io.llava4j.app.verify.."))))
                .should()
                .dependOnClassesThat(resideInAPackage(ENGINE))
                .check(all);
    }

    /** The command builds and runs without the module that is submitted to a cluster. */
    @Test
    void nothingHereKnowsSpark() {
        noClasses()
                .that(resideInAPackage("io.llava4j.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage("io.llava4j.spark..", "org.apache.spark..", "scala.."))
                .check(all);
    }

    @Test
    void imageAndTextStandAlone() {
        noClasses()
                .that(resideInAnyPackage("io.llava4j.image..", "io.llava4j.text.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "io.llava4j.tensor..",
                        "io.llava4j.model..",
                        "io.llava4j.checkpoint..",
                        "io.llava4j.generate.."))
                .check(all);
    }

    @Test
    void checkpointFormatsKnowOnlyTheModelsConfiguration() {
        noClasses()
                .that(resideInAPackage("io.llava4j.checkpoint.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage("io.llava4j.tensor..", "io.llava4j.generate..")
                        .or(resideInAPackage("io.llava4j.model..").and(DescribedPredicate.not(isRecord()))))
                .check(all);
    }

    @Test
    void modelKnowsNeitherFilesNorDecoding() {
        noClasses()
                .that(resideInAPackage("io.llava4j.model.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage("io.llava4j.checkpoint..", "io.llava4j.generate.."))
                .check(all);
        noClasses()
                .that(resideInAPackage("io.llava4j.tensor.."))
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage("io.llava4j.model..", "io.llava4j.checkpoint..", "io.llava4j.generate.."))
                .check(all);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("io.llava4j.(**)").should().beFreeOfCycles().check(all);
    }

    private static DescribedPredicate<JavaClass> isRecord() {
        return DescribedPredicate.describe("records", JavaClass::isRecord);
    }
}
