package io.llava4j.text;

import io.llava4j.ConfigException;
import java.util.List;

/**
 * How a conversation is written out as text (docs/reference/conversation.md#styles). Every style of the family comes down to the
 * strings around the messages, so a template is data: {@code firstHumanPrefix q humanSuffix assistantPrefix
 * answerPrefix a answerSuffix humanPrefix q …}. What is supervised is {@code answerPrefix a answerSuffix}.
 *
 * @param name the template's name
 * @param firstHumanPrefix system text and all that precedes the first question
 * @param humanPrefix what precedes every later question
 * @param humanSuffix what follows a question
 * @param assistantPrefix what asks the model for an answer; a prompt for generation ends with it
 * @param answerPrefix what separates the answer from that
 * @param answerSuffix what ends an answer
 * @param form what a conversation may look like and how its images are written
 */
public record ConversationTemplate(
        String name,
        String firstHumanPrefix,
        String humanPrefix,
        String humanSuffix,
        String assistantPrefix,
        String answerPrefix,
        String answerSuffix,
        Form form) {

    /** Kinds of templates. */
    public enum Form {
        /** Questions and answers in turn. */
        CONVERSATION,
        /** The same; every image stands between {@code <Image>} and {@code </Image>}. */
        TAGGED_IMAGES,
        /** Stage 1's: one question, reduced to its image, and one answer. */
        CAPTION
    }

    /** Stage 1: the image, then the caption and a newline. */
    public static final ConversationTemplate PLAIN =
            new ConversationTemplate("plain", "", "", "", "", "", "\n", Form.CAPTION);

    /** Vicuna v1: stage 2 and every benchmark of LLaVA-1.5. */
    public static final ConversationTemplate V1 = new ConversationTemplate(
            "v1",
            "A chat between a curious user and an artificial intelligence assistant. "
                    + "The assistant gives helpful, detailed, and polite answers to the user's questions. USER: ",
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

    /** Whether only an image and its caption are written. */
    public boolean captionOnly() {
        return form == Form.CAPTION;
    }

    /** A turn's text as the template writes it, for a conversation with images. */
    String withImages(String text) {
        return form == Form.TAGGED_IMAGES
                ? text.replace(Turn.IMAGE_PLACEHOLDER, "<Image>" + Turn.IMAGE_PLACEHOLDER + "</Image>")
                : text;
    }

    /**
     * The text of a conversation.
     *
     * @param turns alternating, the human first; an answer that is empty counts as not yet given, as in the reference
     * @param openAnswer whether a final question is followed by the request for an answer
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
