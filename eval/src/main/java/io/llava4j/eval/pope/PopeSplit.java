package io.llava4j.eval.pope;

import java.util.Locale;

/** How the absent object of a question was chosen. Ids continue LLaVA's numbering, unique over all splits. */
public enum PopeSplit {
    /** Any object of the data set that is not in the image. */
    RANDOM(10_000_000),
    /** The objects most frequent in the data set that are not in the image. */
    POPULAR(20_000_000),
    /** The objects that occur most often together with the one just asked for. */
    ADVERSARIAL(0);

    private final long idOffset;

    PopeSplit(long idOffset) {
        this.idOffset = idOffset;
    }

    /** Added to a label file's question id to get the id in LLaVA's question file. */
    public long idOffset() {
        return idOffset;
    }

    /** Name in files: {@code random}, {@code popular}, {@code adversarial}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
