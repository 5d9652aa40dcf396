package io.llava4j.app.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.LlavaException;
import io.llava4j.app.doctor.Finding.State;
import io.llava4j.tensor.kernel.Kernels;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DoctorTest {
    private static final String OS = System.getProperty("os.name");
    private static final String ARCH = System.getProperty("os.arch");

    @TempDir
    Path dir;

    @Test
    void simdIsReadFromTheFlagsOfTheProcessor() {
        assertThat(MachineChecks.simd("amd64", List.of("model name\t: x", "flags\t\t: fpu sse2 avx2 fma avx512f")))
                .isEqualTo(Finding.fine("SIMD", "AVX2, FMA, AVX512F"));
        assertThat(MachineChecks.simd("amd64", List.of("flags : fpu sse2")).state())
                .isEqualTo(State.LIMITED);
        assertThat(MachineChecks.simd("amd64", List.of()).detail()).startsWith("unknown");
        assertThat(MachineChecks.simd("aarch64", List.of("Features : fp asimd sve"))
                        .detail())
                .isEqualTo("NEON, SVE");
    }

    @Test
    void theKernelsAreNamedWithTheOthersAndTheirReasons() {
        Finding kernels = MachineChecks.examine().stream()
                .filter(finding -> finding.what().equals("kernels"))
                .findFirst()
                .orElseThrow();
        assertThat(kernels.detail()).startsWith(Kernels.instance().option() + ": ");
        for (Kernels each : Kernels.values()) {
            assertThat(kernels.detail()).contains(each.option(), each.reason());
        }
    }

    @Test
    void littleMemoryIsALimit() {
        Finding little = MachineChecks.memory(List.of("MemTotal: 8388608 kB", "MemAvailable:    2097152 kB"), 1L << 30);
        assertThat(little.state()).isEqualTo(State.LIMITED);
        assertThat(little.detail()).isEqualTo("8.0 GiB, 2.0 GiB available, 1.0 GiB Java heap");
        assertThat(MachineChecks.memory(List.of("MemTotal: 8388608 kB", "MemAvailable: 6291456 kB"), 1L << 30)
                        .state())
                .isEqualTo(State.FINE);
    }

    @Test
    void oldJdkIsUnusable() {
        assertThat(JvmChecks.jdk(24, "/jdk").state()).isEqualTo(State.UNUSABLE);
        assertThat(JvmChecks.jdk(25, "/jdk").state()).isEqualTo(State.FINE);
        assertThat(JvmChecks.nativeAccess(false).remedy()).contains("--enable-native-access=ALL-UNNAMED");
    }

    @Test
    void missingNvidiaToolMeansNoGpu() {
        assertThat(MachineChecks.gpu(List.of("no-such-program-as-this")).detail())
                .startsWith("none");
        assertThat(MachineChecks.gpu(List.of("echo", "NVIDIA X, 24576 MiB")))
                .isEqualTo(Finding.fine("GPU", "NVIDIA X, 24576 MiB"));
        assertThat(MachineChecks.gpu(List.of("false")).state()).isEqualTo(State.LIMITED);
    }

    @Test
    void platformsAreNamedAsTheEngineNamesThem() {
        assertThat(EngineChecks.platform("Linux", "amd64")).isEqualTo("linux-x86_64");
        assertThat(EngineChecks.platform("Mac OS X", "aarch64")).isEqualTo("macosx-arm64");
        assertThat(EngineChecks.platform("Windows 11", "amd64")).isEqualTo("windows-x86_64");
    }

    @Test
    void missingNativesAreUnusableAndNotLoaded() {
        List<Finding> findings = EngineChecks.examine("Plan 9", "mips", () -> {
            throw new AssertionError("must not be loaded");
        });
        assertThat(findings).hasSize(2).allMatch(finding -> finding.state() == State.UNUSABLE);
        assertThat(findings.getFirst().detail()).isEqualTo("no openblas natives for plan 9-mips");
    }

    @Test
    void anEngineThatDoesNotLoadIsUnusable() {
        Finding engine = EngineChecks.examine(OS, ARCH, () -> {
                    throw new LlavaException("the cache is full");
                })
                .getLast();
        assertThat(engine.what()).isEqualTo("engine");
        assertThat(engine.state()).isEqualTo(State.UNUSABLE);
        assertThat(engine.detail()).isEqualTo("the cache is full");
    }

    @Test
    void runsFolderNeedNotExistButMustBePossible() throws IOException {
        assertThat(StorageChecks.examine(dir.resolve("runs/demo")).getFirst().state())
                .isEqualTo(State.FINE);
        assertThat(dir.resolve("runs")).doesNotExist();
        assertThat(dir).isEmptyDirectory();
        Path file = Files.createFile(dir.resolve("file"));
        Finding finding = StorageChecks.examine(file.resolve("runs")).getFirst();
        assertThat(finding.state()).isEqualTo(State.UNUSABLE);
        assertThat(finding.detail()).endsWith("file is a file");
    }

    @Test
    void textCanBeDrawn() {
        assertThat(FontCheck.examine().state()).isEqualTo(State.FINE);
    }

    @Test
    void reportShowsRemedyAndVerdict() {
        List<Finding> findings = List.of(Finding.fine("a", "good"), Finding.unusable("b", "bad", "mend it"));
        StringWriter table = new StringWriter();
        DoctorReport.print(findings, false, new PrintWriter(table));
        assertThat(table.toString())
                .contains("NOT      b")
                .contains("-> mend it")
                .contains("cannot fully run");
        StringWriter json = new StringWriter();
        DoctorReport.print(findings, true, new PrintWriter(json));
        JsonNode document = JsonMapper.builder().build().readTree(json.toString());
        assertThat(document.get("usable").asBoolean()).isFalse();
        assertThat(document.get("findings").get(1).get("remedy").asString()).isEqualTo("mend it");
    }
}
