package io.llava4j.eval.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmarks;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MmVetPromptTest {
    @TempDir
    Path folder;

    @Test
    void isReadFromTextOrCutOutOfTheEvaluator() throws Exception {
        Path text = Files.writeString(folder.resolve("mm-vet-prompt.txt"), "Rate.\r\n\nQ | A\n");
        assertThat(MmVetPrompt.read(text)).isEqualTo("Rate.\n\nQ | A\n");
        Path program = Files.writeString(
                folder.resolve("mm-vet_evaluator.py"),
                "import os\nprompt = \"\"\"Rate.\n\nQ | A\n\"\"\"\nx = \"\"\"y\"\"\"\n");
        assertThat(MmVetPrompt.read(program)).isEqualTo("Rate.\n\nQ | A\n");
        Path notebook = Files.writeString(folder.resolve("mm-vet_evaluator.ipynb"), """
                {"cells": [{"source": "import os"},
                 {"source": ["x = 1\\n", "prompt = \\"\\"\\"Rate.\\n", "\\n", "Q | A\\n", "\\"\\"\\"\\n"]}]}
                """);
        assertThat(MmVetPrompt.read(notebook)).isEqualTo("Rate.\n\nQ | A\n");
        Path other = Files.writeString(folder.resolve("other.py"), "prompt = 'x'\n");
        assertThatThrownBy(() -> MmVetPrompt.read(other))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("save the few-shot prompt as mm-vet-prompt.txt");
    }

    @Test
    void aBrokenLineOfAnswersIsNotTakenForTheEndOfTheFile() throws Exception {
        Path answers = Files.writeString(
                folder.resolve("answers.jsonl"), "{\"question_id\": 0, \"text\": \"x\"}\n{\"question_id\": 1,\n");
        assertThatThrownBy(() -> MmVet.answers(answers)).hasMessageContaining("answers.jsonl line 2: not valid JSON");
        Path results = Files.writeString(folder.resolve("results.json"), "{\"v1_0\": \"x\"}\n{\"v1_1\": \"y\"}\n");
        assertThatThrownBy(() -> MmVet.answers(results))
                .hasMessageContaining("results.json line 2: something follows the JSON document");
    }

    @Test
    void whereItIsMissingTheUserIsToldWhereToGetIt() throws Exception {
        Files.writeString(
                folder.resolve("mm-vet.json"),
                "{\"v1_0\": {\"imagename\": \"a.png\", \"question\": \"q\", \"answer\": \"x\", \"capability\": [\"ocr\"]}}");
        Path answers = Files.writeString(folder.resolve("answers.jsonl"), "{\"question_id\": 0, \"text\": \"x\"}\n");
        assertThatThrownBy(() -> MmVet.grade(Benchmarks.MM_VET.files(folder), answers, request -> "1"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("put mm-vet_evaluator.py of github.com/yuweihao/MM-Vet there");
    }
}
