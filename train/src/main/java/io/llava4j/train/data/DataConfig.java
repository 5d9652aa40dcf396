package io.llava4j.train.data;

import io.llava4j.image.AspectMode;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.ResponseFormat;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import io.llava4j.train.data.format.QuestionRows;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The training data.
 *
 * @param json the records: LLaVA's JSON array or JSON lines (docs/reference/data.md#record-format), CSV, Parquet,
 *     WebDataset or a folder
 * @param images folder of the images; not needed if no record has one, or the images come with the records
 * @param followSymlinks whether symbolic links may lead out of {@code images}
 * @param imageAspectRatio what happens to images that are not square
 * @param template conversation template
 * @param maxLength longest sequence in tokens, image tokens included; longer ones are truncated
 * @param groupByModality batches of images only or text only (docs/reference/training.md#sampler)
 * @param missingImagePolicy what happens to a record whose image is missing or unreadable
 * @param badRecordPolicy what happens to a record that breaks the format's rules
 * @param maxLeftOut largest share of the records that may be left out before the first step, from 0 to 1; more stop the run
 * @param mergeByImage whether the questions of a table about one image make one conversation
 * @param responseFormat what such questions say about the form of the answer, unless a record has its own
 *     {@code response_format}
 * @param workers threads that read images; 0 for one per processor but one
 */
public record DataConfig(
        Path json,
        @Nullable Path images,
        @Default("false") boolean followSymlinks,
        ImageAspectRatio imageAspectRatio,
        Template template,
        @Default("2048") int maxLength,
        boolean groupByModality,
        @Default("fail") Policy missingImagePolicy,
        @Default("skip") Policy badRecordPolicy,
        @Default("0.05") double maxLeftOut,
        @Default("true") boolean mergeByImage,
        @Default("none") ResponseFormat responseFormat,
        @Default("0") int workers) {

    public DataConfig {
        Require.atLeast("max-length", maxLength, 4);
        Require.atLeast("workers", workers, 0);
        Require.that(
                maxLeftOut >= 0 && maxLeftOut <= 1,
                "max-left-out is %s; write a share of the records from 0 to 1".formatted(maxLeftOut));
        QuestionRows.requireFor(responseFormat);
    }

    /**
     * Held-out data that is read as this data is, in the order of its file.
     *
     * @param file of the records
     * @param folder of their images; that of this data without it
     */
    public DataConfig heldOut(Path file, @Nullable Path folder) {
        return new DataConfig(
                file,
                folder == null ? images : folder,
                followSymlinks,
                imageAspectRatio,
                template,
                maxLength,
                false,
                missingImagePolicy,
                badRecordPolicy,
                maxLeftOut,
                mergeByImage,
                responseFormat,
                workers);
    }

    /** How questions and answers of a table become conversations. */
    public QuestionRows questionRows() {
        return new QuestionRows(mergeByImage, responseFormat);
    }

    /** How a conversation becomes text. */
    public ConversationTemplate conversationTemplate() {
        return template == Template.PLAIN ? ConversationTemplate.PLAIN : ConversationTemplate.V1;
    }

    /** {@code image_aspect_ratio} of LLaVA. */
    public enum ImageAspectRatio {
        /** CLIP's resize and centre crop. */
        SQUARE,
        /** Padded to a square with the mean colour. */
        PAD;

        /** The same in the terms of image processing. */
        public AspectMode mode() {
            return this == PAD ? AspectMode.PAD : AspectMode.CROP;
        }
    }

    /** {@code version} of LLaVA (docs/reference/conversation.md#templates). */
    public enum Template {
        PLAIN,
        V1
    }
}
