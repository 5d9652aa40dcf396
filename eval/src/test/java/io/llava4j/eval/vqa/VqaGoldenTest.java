package io.llava4j.eval.vqa;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.eval.Goldens;
import io.llava4j.eval.format.QuestionFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class VqaGoldenTest {
    @ParameterizedTest
    @ValueSource(strings = {"official_on_upload_expected", "official_on_upload_raw"})
    void everyOfficialNumberIsEqualToTheLastBit(String run) {
        Path folder = Goldens.path("evalgold/vqav2");
        JsonNode expected = Goldens.json(folder.resolve("expected.json")).get(run);
        VqaScore score = VqaAccuracy.score(
                VqaFiles.readAnnotations(folder.resolve("v2_mscoco_val2014_annotations.json")),
                VqaFiles.readResults(folder.resolve(expected.get("results_file").stringValue()))
                        .answers());

        for (int digits : new int[] {2, 10}) {
            VqaScore rounded = score.rounded(digits);
            JsonNode accuracy = expected.get("accuracy_n" + digits);
            assertThat(rounded.overall()).isEqualTo(accuracy.get("overall").doubleValue());
            assertSame(rounded.perQuestionType(), accuracy.get("perQuestionType"));
            assertSame(rounded.perAnswerType(), accuracy.get("perAnswerType"));
            assertSame(rounded.perQuestion(), expected.get("evalQA_n" + digits));
        }
        assertThat(score.samples()).isEqualTo(220);
    }

    @Test
    void normalisersAgreeWithTheOriginalsOnEveryGoldenAnswer() {
        Path folder = Goldens.path("evalgold/vqav2");
        JsonNode cases = Goldens.json(folder.resolve("expected.json")).get("normalisation");
        assertThat(cases.size()).isEqualTo(170);
        for (JsonNode expected : cases) {
            String raw = expected.get("raw").stringValue();
            assertThat(M4cNormaliser.normalise(raw))
                    .as(raw)
                    .isEqualTo(expected.get("llava_m4c").stringValue());
            String flat = OfficialVqaNormaliser.flat(raw);
            assertThat(OfficialVqaNormaliser.punctuation(flat))
                    .as(raw)
                    .isEqualTo(expected.get("vqaeval_punct").stringValue());
            assertThat(OfficialVqaNormaliser.normalise(flat))
                    .as(raw)
                    .isEqualTo(expected.get("vqaeval_full").stringValue());
        }
    }

    @Test
    void uploadIsTheFileThatLlavaWritesByteForByte(@TempDir Path out) throws Exception {
        Path folder = Goldens.path("evalgold/vqav2");
        VqaUpload upload = VqaUpload.convert(
                QuestionFile.read(folder.resolve("llava_vqav2_mscoco_val2014.jsonl")), folder.resolve("answers.jsonl"));
        VqaFiles.writeResults(out.resolve("upload.json"), upload.answers());

        assertThat(Files.readString(out.resolve("upload.json")))
                .isEqualTo(Files.readString(folder.resolve("upload_expected.json")));
        assertThat(upload.coverage().brokenLines()).isEqualTo(1);
        assertThat(upload.coverage().duplicates()).hasSize(1);
        assertThat(upload.coverage().missing()).hasSize(1);
        assertThat(upload.coverage().unknown()).hasSize(1);
    }

    private static void assertSame(Map<?, Double> actual, JsonNode expected) {
        assertThat(actual).hasSize(expected.size());
        actual.forEach((key, value) -> assertThat(value)
                .as(key.toString())
                .isEqualTo(expected.get(key.toString()).doubleValue()));
    }
}
