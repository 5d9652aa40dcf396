package io.llava4j.train.data.mixture;

import static io.llava4j.train.data.raw.SourceKind.A_OKVQA;
import static io.llava4j.train.data.raw.SourceKind.COCO_CAPTIONS;
import static io.llava4j.train.data.raw.SourceKind.GQA;
import static io.llava4j.train.data.raw.SourceKind.LLAVA;
import static io.llava4j.train.data.raw.SourceKind.OCR_VQA;
import static io.llava4j.train.data.raw.SourceKind.REF_COCO;
import static io.llava4j.train.data.raw.SourceKind.SHAREGPT;
import static io.llava4j.train.data.raw.SourceKind.TEXT_CAPS;
import static io.llava4j.train.data.raw.SourceKind.VISUAL_GENOME;
import static io.llava4j.train.data.raw.SourceKind.VQA;

import io.llava4j.train.data.raw.SourceKind;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The rules by which LLaVA-1.5's mixture is made of its sources (docs/reference/data.md#building-rules, docs/reference/data.md#boxes, docs/reference/data.md#sharegpt-cleaning). Each can be switched for all sources
 * or for one, under {@code rules} in a recipe; a limit of 0 switches it off.
 */
public enum Rule {
    MERGE_BY_IMAGE(
            "true",
            "building-rules",
            "all pairs about one image make one conversation; off: each makes its own",
            VQA,
            GQA,
            A_OKVQA,
            OCR_VQA,
            REF_COCO,
            VISUAL_GENOME),
    PROMPT_ONCE(
            "true",
            "conversation-layouts",
            "the response-format prompt stands in the first question only; off: in every one",
            VQA,
            GQA,
            A_OKVQA,
            OCR_VQA),
    MOST_FREQUENT_ANSWER(
            "true",
            "building-rules",
            "VQAv2's multiple_choice_answer, else the answer most people gave, the earlier of equals; off: the first"
                    + " person's",
            VQA),
    CAPITAL_ANSWER("true", "conversation-layouts", "answers begin with a capital letter", GQA),
    TRAINING_SPLIT(
            "true",
            "raw-schemas",
            "only what the data set marks for training, of GQA the balanced set",
            GQA,
            A_OKVQA,
            OCR_VQA,
            TEXT_CAPS,
            REF_COCO),
    REPEAT_BY_OPTIONS("true", "building-rules", "a multiple-choice question of k options comes k times", A_OKVQA),
    OPTION_ORDER(
            "rotate",
            List.of("rotate", "shuffle", "keep"),
            "4.3",
            "order of the options in the copies: rotated by one each time, so that every letter is right once;"
                    + " shuffled; or as annotated. The paper does not tell",
            A_OKVQA),
    SAMPLE("0", "building-rules", "so many conversations are kept, drawn by the seed", SourceKind.values()),
    MAX_REGIONS("10", "building-rules", "so many regions of an image are kept, drawn by the seed", VISUAL_GENOME),
    MAX_PAIRS(
            "10",
            "building-rules",
            "longer conversations are split into segments with fewer pairs than this",
            REF_COCO),
    REGION_FORM(
            "both",
            List.of("both", "describe", "locate"),
            "3",
            "whether a pair asks for the words or for the box; both: drawn for each pair",
            REF_COCO,
            VISUAL_GENOME),
    REGION_SENTENCE(
            "true",
            "response-formats",
            "descriptions of regions begin with a capital letter and end with a full stop",
            REF_COCO,
            VISUAL_GENOME),
    PADDED_BOXES(
            "true",
            "boxes",
            "boxes are shares of the image padded to a square; off: of the image itself",
            REF_COCO,
            VISUAL_GENOME),
    CAPTIONS(
            "random",
            List.of("random", "first", "each"),
            "3",
            "which of an image's captions is used: one drawn by the seed, the first, or each in a conversation of its"
                    + " own",
            TEXT_CAPS,
            COCO_CAPTIONS),
    READ_TEXT(
            "true",
            "response-formats",
            "words that a machine read from the image follow the caption's prompt",
            TEXT_CAPS),
    COCO_2017_NAMES(
            "true", "7", "COCO's file names of 2014 are turned into 2017's", LLAVA, VQA, REF_COCO, COCO_CAPTIONS),
    SOURCE_IN_ID(
            "true",
            "checks",
            "ids begin with the source's name, so that no two records are alike by id and image",
            VQA,
            GQA,
            A_OKVQA,
            OCR_VQA,
            TEXT_CAPS,
            COCO_CAPTIONS,
            REF_COCO,
            VISUAL_GENOME),
    IMAGE_PRESENCE(
            "true",
            "checks",
            "records whose image is not in the image folder are left out; needs that folder",
            LLAVA,
            VQA,
            GQA,
            A_OKVQA,
            OCR_VQA,
            TEXT_CAPS,
            COCO_CAPTIONS,
            REF_COCO,
            VISUAL_GENOME),
    NO_TEMPLATE_MARKERS(
            "true",
            "checks",
            "records with \" ASSISTANT: \" or \"</s>\" in their text are left out",
            SourceKind.values()),
    HTML_TO_MARKDOWN("true", "sharegpt-cleaning", "HTML becomes Markdown", SHAREGPT),
    DROP_LEADING_ANSWERS("true", "sharegpt-cleaning", "what is said before the first question is dropped", SHAREGPT),
    DROP_TRAILING_QUESTION("true", "sharegpt-cleaning", "a question without an answer at the end is dropped", SHAREGPT),
    MIN_TURNS("2", "sharegpt-cleaning", "conversations of fewer turns are left out", SHAREGPT),
    STRICT_ALTERNATION(
            "true",
            "sharegpt-cleaning",
            "conversations in which someone speaks twice in a row are left out; off: the turns are joined",
            SHAREGPT),
    BLOCKED_WORDS("true", "sharegpt-cleaning", "conversations that say openai or chatgpt are left out", SHAREGPT),
    BLOCKED_REPLIES(
            "true", "sharegpt-cleaning", "conversations with an error message for a reply are left out", SHAREGPT),
    STOP_AT_EMPTY("true", "sharegpt-cleaning", "a conversation ends before an empty or unprintable turn", SHAREGPT),
    MIN_CHARACTERS("16", "sharegpt-cleaning", "shorter conversations are left out", SHAREGPT),
    NO_BROKEN_LISTS(
            "true",
            "sharegpt-cleaning",
            "conversations with a list that goes from 1 to 1 without a 2 are left out",
            SHAREGPT),
    SKIP_LANGUAGES(
            "",
            List.of(),
            "6",
            "languages to leave out, told by their script: ko, ja, zh, ru, ar, he, el, hi or th, with commas",
            SHAREGPT),
    DEDUPLICATE(
            "true", "sharegpt-cleaning", "conversations that say the same as an earlier one are left out", SHAREGPT),
    MAX_TOKENS(
            "2048",
            "building-rules",
            "longer conversations are cut after the last answer that ends within so many tokens of the prompt; an only"
                    + " answer that is too long is cut at a word; needs a tokenizer",
            SHAREGPT);

    /** What a rule's value may be. */
    private enum Form {
        SWITCH,
        LIMIT,
        CHOICE,
        LANGUAGES
    }

    private final String standard;
    private final List<String> choices;
    private final String section;
    private final String meaning;
    private final Set<SourceKind> kinds;

    Rule(String standard, String section, String meaning, SourceKind... kinds) {
        this(standard, List.of(), section, meaning, kinds);
    }

    Rule(String standard, List<String> choices, String section, String meaning, SourceKind... kinds) {
        this.standard = standard;
        this.choices = choices;
        this.section = section;
        this.meaning = meaning;
        this.kinds = EnumSet.copyOf(Arrays.asList(kinds));
    }

    /** Its name in a recipe. */
    public String key() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The rule of a name. */
    public static Optional<Rule> of(String key) {
        return Arrays.stream(values()).filter(rule -> rule.key().equals(key)).findFirst();
    }

    /** Its value where a recipe says nothing: the paper's. */
    public String standard() {
        return standard;
    }

    /** Anchor of its section in docs/reference/data.md. */
    public String section() {
        return section;
    }

    /** What it does, in one clause. */
    public String meaning() {
        return meaning;
    }

    /** Whether it means anything for a kind of source. */
    public boolean appliesTo(SourceKind kind) {
        return kinds.contains(kind);
    }

    /** What a value may be, in words. */
    String expected() {
        return switch (form()) {
            case SWITCH -> "true or false";
            case LIMIT -> "a whole number, 0 for off";
            case CHOICE -> String.join(" or ", choices);
            case LANGUAGES -> "languages with commas, of " + String.join(", ", Scripts.LANGUAGES);
        };
    }

    /** Whether a value is one it may have. */
    boolean accepts(String value) {
        return switch (form()) {
            case SWITCH -> value.equals("true") || value.equals("false");
            case LIMIT -> value.matches("\\d{1,9}");
            case CHOICE -> choices.contains(value);
            case LANGUAGES -> value.isEmpty() || Scripts.LANGUAGES.containsAll(List.of(value.split(",")));
        };
    }

    private Form form() {
        if (this == SKIP_LANGUAGES) {
            return Form.LANGUAGES;
        }
        if (!choices.isEmpty()) {
            return Form.CHOICE;
        }
        return standard.equals("true") || standard.equals("false") ? Form.SWITCH : Form.LIMIT;
    }
}
