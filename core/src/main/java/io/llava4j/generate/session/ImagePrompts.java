package io.llava4j.generate.session;

import io.llava4j.DataException;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.RgbImage;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.prune.FineDetail;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes what a model reads of conversations and texts, and refuses what it cannot read whole. */
public final class ImagePrompts {
    private static final Logger LOG = LoggerFactory.getLogger(ImagePrompts.class);

    private final LlavaConfig config;
    private final SentencePieceTokenizer tokenizer;
    private final PromptBuilder builder;
    private final ImagePreparation preparation;
    private final AtomicBoolean warned = new AtomicBoolean();

    /** @param template how a conversation is written out */
    public ImagePrompts(LlavaConfig config, SentencePieceTokenizer tokenizer, ConversationTemplate template) {
        this.config = config;
        this.tokenizer = tokenizer;
        this.builder = new PromptBuilder(tokenizer, template);
        this.preparation = config.imagePreparation();
    }

    /**
     * Prompt of a conversation. Images are decoded one after another, and none before the conversation is known to fit.
     *
     * @param system prompt; empty for the template's own
     * @param images one for each placeholder
     * @throws DataException as {@link #ids}
     */
    public ImagePrompt conversation(String system, List<Turn> turns, List<Supplier<RgbImage>> images) {
        return processed(ids(system, turns, images.size()), images);
    }

    /** Prompt of a text without a template; BOS first, {@code <image>} for each image. */
    public ImagePrompt completion(String text, List<Supplier<RgbImage>> images) {
        warnOfDetail(text);
        return processed(checked(builder.encode(text), images.size()), images);
    }

    private ImagePrompt processed(int[] ids, List<Supplier<RgbImage>> images) {
        return checked(new ImagePrompt(
                ids, images.stream().map(image -> prepare(image.get())).toList()));
    }

    /** A prompt whose images have more tokens than the minimum of an image. */
    private ImagePrompt checked(ImagePrompt prompt) {
        requireFits(prompt.length(config));
        return prompt;
    }

    /** An image as the model reads it. */
    public PreparedImage prepare(RgbImage image) {
        return preparation.prepare(image);
    }

    /**
     * Ids of a conversation.
     *
     * @param images their number
     * @throws DataException if the conversation is malformed or too long, or has not as many placeholders as images
     */
    public int[] ids(String system, List<Turn> turns, int images) {
        if (!turns.isEmpty()) {
            warnOfDetail(turns.getLast().text());
        }
        PromptBuilder writer = builder;
        if (!system.isEmpty()) {
            ConversationTemplate template = builder.template();
            if (!template.takesSystem()) {
                throw new DataException("template " + template.name()
                        + " has no place for a system prompt; write it at the start of the first question");
            }
            writer = new PromptBuilder(tokenizer, template.withSystem(system));
        }
        return checked(writer.inference(turns).ids(), images);
    }

    private void warnOfDetail(String question) {
        if (config.visionTokens() > 0 && FineDetail.isAskedFor(question) && !warned.getAndSet(true)) {
            LOG.warn(
                    "a question asks for regions of an image or for text in it, for which {} image tokens may not be enough:"
                            + " pruning is known to lose positions and small text; leave out --vision-tokens for such questions",
                    config.visionTokens());
        }
    }

    /** Images are counted for each request: in a batch, one too many here could hide one too few there. */
    private int[] checked(int[] ids, int images) {
        int placeholders = ImagePrompt.placeholders(ids);
        if (placeholders != images) {
            throw new DataException("a request has " + placeholders + " <image> placeholders for " + images
                    + " images; write one <image> for each");
        }
        requireFits(ids.length + images * (config.minTokensPerImage() - 1));
        return ids;
    }

    /** The splice would truncate it as the reference does, and the question at its end would be lost. */
    private void requireFits(int length) {
        int limit = config.maxSequenceLength();
        int positions = config.text().maxPositionEmbeddings() - 1;
        int reads = limit > 0 ? Math.min(limit, positions) : positions;
        if (length > reads) {
            throw new DataException("the prompt has " + length + " tokens, image tokens included, but the model reads "
                    + reads + "; shorten the conversation");
        }
    }
}
