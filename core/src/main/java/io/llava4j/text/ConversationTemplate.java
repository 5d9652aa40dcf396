package io.llava4j.text;

import io.llava4j.ConfigException;
import java.util.List;

/**
 * How a conversation is written as text (docs/reference/conversation.md#styles). The styles of the family differ only in
 * the strings around the messages, so a template is data: {@code firstHumanPrefix q humanSuffix assistantPrefix
 * answerPrefix a answerSuffix humanPrefix q …}. The supervised part is {@code answerPrefix a answerSuffix}.
 *
 * @param name the template's name
 * @param firstHumanPrefix system text and everything else before the first question
 * @param systemPattern {@code firstHumanPrefix} for any system text, which takes the place of {@value #SYSTEM}; empty if
 *     the template has no system text
 * @param humanPrefix before every later question
 * @param humanSuffix after a question
 * @param assistantPrefix prompts the model to answer; ends a prompt for generation
 * @param answerPrefix between {@code assistantPrefix} and the answer
 * @param answerSuffix ends an answer
 * @param form shape of a conversation and of its images
 */
public record ConversationTemplate(
        String name,
        String firstHumanPrefix,
        String systemPattern,
        String humanPrefix,
        String humanSuffix,
        String assistantPrefix,
        String answerPrefix,
        String answerSuffix,
        Form form) {

    /** Place of the system text in {@link #systemPattern}. */
    static final String SYSTEM = "{system}";

    /** Kinds of templates. */
    public enum Form {
        /** Questions and answers in turn. */
        CONVERSATION,
        /** The same; every image stands between {@code <Image>} and {@code </Image>}. */
        TAGGED_IMAGES,
        /** For pretraining (stage 1): one question, reduced to its image, and one answer. */
        CAPTION
    }

    /** Pretraining (stage 1): the image, then the caption and a newline. */
    public static final ConversationTemplate PLAIN =
            new ConversationTemplate("plain", "", "", "", "", "", "", "\n", Form.CAPTION);

    /** Vicuna v1: finetuning (stage 2) and all benchmarks of LLaVA-1.5. */
    public static final ConversationTemplate V1 = new ConversationTemplate(
            "v1",
            "A chat between a curious user and an artificial intelligence assistant. "
                    + "The assistant gives helpful, detailed, and polite answers to the user's questions. USER: ",
            SYSTEM + " USER: ",
            "USER: ",
            " ",
            "ASSISTANT:",
            " ",
            "</s>",
            Form.CONVERSATION);

    /**
     * The template of a name or alias.
     *
     * @throws ConfigException if there is none; the message lists the names
     */
    public static ConversationTemplate named(String name) {
        return ConversationTemplates.named(name);
    }

    /** Whether a conversation may have a system prompt of its own; otherwise {@link #withSystem} changes nothing. */
    public boolean takesSystem() {
        return !systemPattern.isEmpty();
    }

    /** The same template with another system text. */
    public ConversationTemplate withSystem(String system) {
        return takesSystem()
                ? new ConversationTemplate(
                        name,
                        systemPattern.replace(SYSTEM, system),
                        systemPattern,
                        humanPrefix,
                        humanSuffix,
                        assistantPrefix,
                        answerPrefix,
                        answerSuffix,
                        form)
                : this;
    }

    /** Whether the text is only an image and its caption. */
    boolean captionOnly() {
        return form == Form.CAPTION;
    }

    /** Text of a turn with the tags that this template puts around images. */
    String withImages(String text) {
        return form == Form.TAGGED_IMAGES
                ? text.replace(Turn.IMAGE_PLACEHOLDER, "<Image>" + Turn.IMAGE_PLACEHOLDER + "</Image>")
                : text;
    }

    /**
     * The text of a conversation.
     *
     * @param turns alternating, the human first; an empty answer counts as not yet given, as in the reference
     * @param openAnswer whether the text ends with {@link #assistantPrefix}, for the model to continue
     */
    public String render(List<Turn> turns, boolean openAnswer) {
        return renderSpans(turns, openAnswer).text();
    }

    RenderedText renderSpans(List<Turn> turns, boolean openAnswer) {
        RenderedText out = new RenderedText();
        for (int i = 0; i < turns.size(); i++) {
            Turn turn = turns.get(i);
            if (turn.role() == Role.HUMAN) {
                out.append(i == 0 ? firstHumanPrefix : humanPrefix, false);
                out.append(captionOnly() ? Turn.IMAGE_PLACEHOLDER : turn.text(), false);
                out.append(humanSuffix, false);
            } else {
                out.append(assistantPrefix, false);
                if (!turn.text().isEmpty()) {
                    out.append(answerPrefix + turn.text() + answerSuffix, true);
                }
            }
        }
        if (openAnswer) {
            out.append(assistantPrefix, false);
        }
        return out;
    }
}
