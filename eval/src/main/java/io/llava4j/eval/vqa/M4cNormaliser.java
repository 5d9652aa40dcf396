package io.llava4j.eval.vqa;

import io.llava4j.eval.format.PythonText;

/**
 * The "EvalAI" answer processor of M4C, which LLaVA applies to uploads for VQAv2 and VizWiz and to both sides of TextVQA
 * (docs/reference/evaluation.md#m4c-normalisation). Not to be mixed up with {@link OfficialVqaNormaliser}: this one also deletes commas and question
 * marks and splits off {@code 's} first.
 */
public final class M4cNormaliser {
    private M4cNormaliser() {}

    /** The processed answer. */
    public static String normalise(String answer) {
        String words = PythonText.strip(
                PythonText.lower(answer).replace(",", "").replace("?", "").replace("'s", " 's"));
        return VqaWordRules.digitsAndArticles(
                VqaWordRules.punctuation(VqaWordRules.flat(words)), VqaWordRules.CONTRACTIONS);
    }
}
