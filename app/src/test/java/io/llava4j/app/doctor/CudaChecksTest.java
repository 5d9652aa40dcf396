package io.llava4j.app.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "libraries are symbolic links")
class CudaChecksTest {
    @TempDir
    Path dir;

    @Test
    void aMachineWithoutGpuIsNotAsked() {
        assertThat(CudaChecks.examine(false, false, List.of(dir))).isEmpty();
    }

    @Test
    void aCardThatTheBuildDoesNotUseIsALimit() {
        assertThat(CudaChecks.examine(false, true, List.of(dir)))
                .singleElement()
                .matches(finding -> finding.state() == Finding.State.LIMITED)
                .matches(finding -> finding.remedy().contains("-Dnative.platform=linux-x86_64-gpu"));
    }

    @Test
    void everyMissingLibraryIsNamedWithWhatToInstall() {
        assertThat(CudaChecks.examine(true, true, List.of(dir)))
                .extracting(Finding::what)
                .containsExactly("CUDA", "cuDNN", "NCCL");
        assertThat(CudaChecks.examine(true, true, List.of(dir)))
                .allMatch(finding -> finding.state() == Finding.State.UNUSABLE)
                .allMatch(finding -> finding.remedy().contains("install ")
                        && finding.detail().contains(".so."));
    }

    @Test
    void versionsAreReadFromTheFiles() throws IOException {
        library("libcudart.so.13", "libcudart.so.13.1.80");
        library("libcudnn.so.9", "libcudnn.so.9.8.0");
        library("libnccl.so.2", "libnccl.so.2");
        List<Finding> findings = CudaChecks.examine(true, true, List.of(dir.resolve("none"), dir));
        assertThat(findings)
                .extracting(Finding::state)
                .containsExactly(Finding.State.FINE, Finding.State.UNUSABLE, Finding.State.LIMITED);
        assertThat(findings.getFirst().detail()).endsWith("libcudart.so.13, version 13.1.80");
        assertThat(findings.get(1).remedy()).contains("cuDNN 9.19");
    }

    private void library(String link, String file) throws IOException {
        Files.createFile(dir.resolve(file));
        if (!link.equals(file)) {
            Files.createSymbolicLink(dir.resolve(link), Path.of(file));
        }
    }
}
