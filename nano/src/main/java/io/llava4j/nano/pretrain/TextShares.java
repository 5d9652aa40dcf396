package io.llava4j.nano.pretrain;

import io.llava4j.train.config.Alias;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;

/**
 * Shares of the kinds of text that the language model is pre-trained on; they need not sum to 1.
 *
 * @param associativeRecall pairs of names, then one name of each pair, to be answered with the other
 * @param attributeListing scenes in words, then names, to be answered with color and place
 * @param captionPairs scenes in words with a caption, in the form of stage 1
 * @param existenceDrills many existence questions about a scene in words
 * @param conversations conversations of stage 2 about scenes in words
 * @param optionRecall lettered options, then names, to be answered with their letters
 * @param translations names, to be answered with their Chinese ones, and the other way round
 * @param presenceChoices many questions with options about what a scene in words shows, to be answered with letters
 * @param chineseChoices the same in Chinese
 * @param choiceDrills many questions with options about all topics, to be answered with letters
 * @param instructionForms questions about scenes in words in the forms of the benchmarks: letters, yes or no, unanswerable, Chinese
 */
public record TextShares(
        @Alias("partners") @Default("0") double associativeRecall,
        @Alias("roll-calls") @Default("0") double attributeListing,
        @Default("0") double captionPairs,
        @Alias("drills") @Default("0") double existenceDrills,
        @Default("0") double conversations,
        @Default("0") double optionRecall,
        @Default("0") double translations,
        @Default("0") double presenceChoices,
        @Default("0") double chineseChoices,
        @Default("0") double choiceDrills,
        @Default("0") double instructionForms) {
    /** Captions and conversations: the shares without a curriculum. */
    public static final TextShares DEFAULT = new TextShares(0, 0, 1, 0, 4, 0, 0, 0, 0, 0, 0);

    /** @throws io.llava4j.ConfigException if a share is negative or all are 0 */
    public TextShares {
        double total = share("associative-recall", associativeRecall)
                + share("attribute-listing", attributeListing)
                + share("caption-pairs", captionPairs)
                + share("existence-drills", existenceDrills)
                + share("conversations", conversations)
                + share("option-recall", optionRecall)
                + share("translations", translations)
                + share("presence-choices", presenceChoices)
                + share("chinese-choices", chineseChoices)
                + share("choice-drills", choiceDrills)
                + share("instruction-forms", instructionForms);
        Require.that(total > 0, "conversations is 0, and so are all other shares; set one above 0");
    }

    private static double share(String key, double value) {
        Require.notNegative(key, value);
        return value;
    }

    /** Sum of the shares. */
    public double total() {
        return associativeRecall
                + attributeListing
                + captionPairs
                + existenceDrills
                + conversations
                + optionRecall
                + translations
                + presenceChoices
                + chineseChoices
                + choiceDrills
                + instructionForms;
    }
}
