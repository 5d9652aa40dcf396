package io.llava4j.eval.run;

import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.Question;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Identifies a run, so that only the same model, questions and decoding resume an answer file. Batch size is not part of it, since
 * answers do not depend on it.
 *
 * @param json canonical JSON, one line
 */
record RunManifest(String json) {
    static RunManifest of(EvalRunner.Job job, String modelId) {
        StringBuilder questions = new StringBuilder();
        for (Question question : job.questions()) {
            questions
                    .append(PythonJson.dumps(question.id()))
                    .append('\0')
                    .append(question.images().isEmpty() ? "null" : String.join("\0", question.images()))
                    .append('\0')
                    .append(question.text())
                    .append('\0');
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("model_id", modelId);
        fields.put("blind", job.blind());
        fields.put("decoding", job.options().toString());
        fields.put("questions", job.questions().size());
        fields.put("questions_sha256", HexFormat.of().formatHex(AnswerIds.sha256(questions.toString())));
        return new RunManifest(PythonJson.dumps(fields));
    }
}
