package io.llava4j.eval.pope;

import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.format.QuestionId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** POPE in the layout LLaVA expects: {@code coco/coco_pope_<split>.json} beside {@code llava_pope_test.jsonl}. */
public final class PopeFiles {
    /** Folder of the label files. */
    public static final String LABELS = "coco";

    /** LLaVA's question file. */
    public static final String QUESTIONS = "llava_pope_test.jsonl";

    private PopeFiles() {}

    /**
     * LLaVA's questions for labels: ids unique over all splits, the split as category, splits in LLaVA's order
     * (adversarial, popular, random).
     *
     * @param render adds the response-format prompt
     */
    public static List<Question> questions(Map<PopeSplit, List<PopeLabel>> splits, UnaryOperator<String> render) {
        List<Question> questions = new ArrayList<>();
        for (PopeSplit split : List.of(PopeSplit.ADVERSARIAL, PopeSplit.POPULAR, PopeSplit.RANDOM)) {
            for (PopeLabel label : splits.getOrDefault(split, List.of())) {
                questions.add(new Question(
                        QuestionId.of(
                                split.idOffset() + Long.parseLong(label.id().value())),
                        label.image(),
                        render.apply(label.text()),
                        split.label()));
            }
        }
        return questions;
    }

    /**
     * Writes label files and question file.
     *
     * @param folder made where missing
     * @return the questions written
     */
    public static List<Question> write(
            Path folder, Map<PopeSplit, List<PopeLabel>> splits, UnaryOperator<String> render) {
        splits.forEach((split, labels) ->
                PopeLabel.write(folder.resolve(LABELS).resolve("coco_pope_" + split.label() + ".json"), labels));
        List<Question> questions = questions(splits, render);
        QuestionFile.write(folder.resolve(QUESTIONS), questions);
        return questions;
    }
}
