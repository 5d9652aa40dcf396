package io.llava4j.app.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class VerifyReportTest {
    private final StringWriter out = new StringWriter();

    @Test
    void tableHasARowPerCaseAndCounts() {
        VerifyReport report = report(false);
        report.add(CaseResult.within("training", "loss", 2.5e-6, 1e-5));
        report.add(CaseResult.skipped("tiny-llava", "bin-fp16", "torch files are not read yet"));
        assertThat(report.finish()).isTrue();
        assertThat(out.toString().lines().map(line -> line.replaceAll(" +", " ")))
                .containsExactly(
                        "suite case error tolerance verdict",
                        "training loss 2.50e-06 1.00e-05 ok",
                        "tiny-llava bin-fp16 - - skipped torch files are not read yet",
                        "",
                        "1 ok, 0 FAIL, 1 skipped");
    }

    @Test
    void aFailedCaseFailsTheWhole() {
        VerifyReport report = report(false);
        report.add(CaseResult.within("training", "loss", Double.NaN, 1e-5));
        assertThat(report.finish()).isFalse();
        assertThat(out.toString()).contains("NaN").contains("FAIL").contains("0 ok, 1 FAIL, 0 skipped");
    }

    @Test
    void jsonIsOneDocument() {
        VerifyReport report = report(true);
        report.add(CaseResult.exact("tokenizer", "case 3", false, "ids differ at 5"));
        report.add(CaseResult.within("training", "loss", Double.NaN, 1e-5));
        assertThat(report.finish()).isFalse();
        JsonNode document = JsonMapper.builder().build().readTree(out.toString());
        assertThat(document.get("fail").asInt()).isEqualTo(2);
        assertThat(document.get("ok").asInt()).isZero();
        assertThat(document.get("cases").get(0).get("detail").asString()).isEqualTo("ids differ at 5");
        assertThat(document.get("cases").get(1).get("error").isNull()).isTrue();
    }

    private VerifyReport report(boolean json) {
        return new VerifyReport(new PrintWriter(out), json);
    }
}
