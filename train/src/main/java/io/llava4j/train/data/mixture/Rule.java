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

import io.llava4j.io.KebabCase;
import io.llava4j.train.data.raw.SourceKind;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The rules by which LLaVA-1.5's mixture is built from its sources; each names its {@link #section} of
 * docs/reference/data.md. A recipe sets a rule under {@code rules}, for all sources or for one; a limit of 0 is off.
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
            "only the first question carries the response-format prompt; off: every question",
            VQA,
            GQA,
            A_OKVQA,
            OCR_VQA),
    MOST_FREQUENT_ANSWER(
            "true",
            "building-rules",
            "VQAv2's multiple_choice_answer, else the most frequent answer, the earlier of equals; off: the first"
                    + " answer",
            VQA),
    CAPITAL_ANSWER("true", "conversation-layouts", "answers begin with a capital letter", GQA),
    TRAINING_SPLIT(
            "true",
            "raw-schemas",
            "only records that the data set marks for training; of GQA the balanced set",
            GQA,
            A_OKVQA,
            OCR_VQA,
            TEXT_CAPS,
            REF_COCO),
    REPEAT_BY_OPTIONS("true", "building-rules", "a multiple-choice question with k options is asked k times", A_OKVQA),
    OPTION_ORDER(
            "rotate",
            List.of("rotate", "shuffle", "keep"),
            "building-rules",
            "order of the options in the copies: rotated by one each time, so that each letter is right once;"
                    + " shuffled; or as annotated. The paper does not say",
            A_OKVQA),
    SAMPLE("0", "building-rules", "at most this many conversations are kept, drawn by the seed", SourceKind.values()),
    MAX_REGIONS(
            "10", "building-rules", "at most this many regions of an image are kept, drawn by the seed", VISUAL_GENOME),
    MAX_PAIRS(
            "9", "building-rules", "longer conversations are split into segments of at most this many pairs", REF_COCO),
    REGION_FORM(
            "both",
            List.of("both", "describe", "locate"),
            "conversation-layouts",
            "whether a question asks for the words or for the box; both: drawn for each pair",
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
            "conversation-layouts",
            "which of an image's captions is used: one drawn by the seed, the first, or each in a conversation of its"
                    + " own",
            TEXT_CAPS,
            COCO_CAPTIONS),
    READ_TEXT("true", "response-formats", "the OCR tokens of the image follow the caption's prompt", TEXT_CAPS),
    COCO_2017_NAMES(
            "true",
            "image-folders",
            "COCO's file names of 2014 are turned into 2017's",
            LLAVA,
            VQA,
            REF_COCO,
            COCO_CAPTIONS),
    SOURCE_IN_ID(
            "true",
            "checks",
            "ids begin with the source's name, so that no two records share id and image",
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
    HTML_TO_MARKDOWN("true", "sharegpt-cleaning", "HTML is converted to Markdown", SHAREGPT),
    DROP_LEADING_ANSWERS("true", "sharegpt-cleaning", "turns before the first question are dropped", SHAREGPT),
    DROP_TRAILING_QUESTION("true", "sharegpt-cleaning", "a last question without an answer is dropped", SHAREGPT),
    MIN_TURNS("2", "sharegpt-cleaning", "conversations with fewer turns are left out", SHAREGPT),
    STRICT_ALTERNATION(
            "true",
            "sharegpt-cleaning",
            "conversations in which one side speaks twice in a row are left out; off: the turns are joined",
            SHAREGPT),
    BLOCKED_WORDS("true", "sharegpt-cleaning", "conversations that contain openai or chatgpt are left out", SHAREGPT),
    BLOCKED_REPLIES(
            "true", "sharegpt-cleaning", "conversations in which a reply is an error message are left out", SHAREGPT),
    STOP_AT_EMPTY("true", "sharegpt-cleaning", "a conversation ends before an empty or unprintable turn", SHAREGPT),
    MIN_CHARACTERS("16", "sharegpt-cleaning", "shorter conversations are left out", SHAREGPT),
    NO_BROKEN_LISTS(
            "true",
            "sharegpt-cleaning",
            "conversations with a numbered list that repeats 1 without a 2 are left out",
            SHAREGPT),
    SKIP_LANGUAGES(
            "",
            List.of(),
            "sharegpt-cleaning",
            "conversations in these languages, known by their script, are left out: ko, ja, zh, ru, ar, he, el, hi or"
                    + " th, separated by commas",
            SHAREGPT),
    DEDUPLICATE(
            "true", "sharegpt-cleaning", "conversations with the same text as an earlier one are left out", SHAREGPT),
    MAX_TOKENS(
            "2048",
            "building-rules",
            "longer conversations are truncated after the last answer that ends within this many tokens of the prompt;"
                    + " a first answer that is too long is truncated after a word; needs a tokenizer",
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
        return KebabCase.of(this);
    }

    /** The rule with this name; empty if there is none. */
    public static Optional<Rule> of(String key) {
        return Arrays.stream(values()).filter(rule -> rule.key().equals(key)).findFirst();
    }

    /** The value where a recipe sets none: LLaVA-1.5's. */
    public String standard() {
        return standard;
    }

    /** Anchor of the section in docs/reference/data.md that explains it. */
    public String section() {
        return section;
    }

    /** What it does, in one clause. */
    public String meaning() {
        return meaning;
    }

    /** Whether sources of a kind obey it. */
    public boolean appliesTo(SourceKind kind) {
        return kinds.contains(kind);
    }

    /** The values it takes, in words. */
    String expected() {
        return switch (form()) {
            case SWITCH -> "true or false";
            case LIMIT -> "a whole number, 0 for off";
            case CHOICE -> String.join(" or ", choices);
            case LANGUAGES -> "languages separated by commas, of " + String.join(", ", Scripts.LANGUAGES);
        };
    }

    /** Whether it takes a value. */
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
