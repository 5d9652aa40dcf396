package io.llava4j.eval.vqa;

/**
 * The answer processing of the official VQA metric (VQAEval): punctuation, then number words, articles and contractions.
 * Which answers it is applied to is the metric's business, see {@link VqaAccuracy}. Not to be mixed up with
 * {@link M4cNormaliser}, which scores differently.
 */
public final class OfficialVqaNormaliser {
    private OfficialVqaNormaliser() {}

    /** Newlines and tabs become spaces, white space at both ends goes; applied to every answer. */
    public static String flat(String answer) {
        return VqaWordRules.flat(answer);
    }

    /** The punctuation step alone. */
    public static String punctuation(String answer) {
        return VqaWordRules.punctuation(answer);
    }

    /** Both steps, as applied to a {@link #flat} answer where the human answers differ. */
    public static String normalise(String answer) {
        return VqaWordRules.digitsAndArticles(VqaWordRules.punctuation(answer), VqaWordRules.CONTRACTIONS);
    }
}
