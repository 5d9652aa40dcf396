package io.llava4j.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.app.cli.TinyModel;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadBenchTest {
    @TempDir
    Path dir;

    /** Ten times as many clients as the server has places: each request is answered or refused, and none is lost. */
    @Test
    void anOverloadedServerLosesNothing() {
        StringWriter out = new StringWriter();
        LoadBench.Result result =
                LoadBench.run(new PrintWriter(out), TinyModel.write(dir, 512), new LoadBench.Options(60, 3, 2, 4, 24));
        assertThat(result.failures()).isEmpty();
        assertThat(result.lost()).isZero();
        assertThat(result.isClean()).isTrue();
        assertThat(result.answered()).isPositive();
        assertThat(result.refused()).isPositive();
        assertThat(out.toString().lines()).hasSize(6).last().asString().contains("MB of heap alive");
    }
}
