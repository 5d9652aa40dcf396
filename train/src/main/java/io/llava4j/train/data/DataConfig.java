package io.llava4j.train.data;

import io.llava4j.image.AspectMode;
import io.llava4j.image.ExifOrientation;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.ResponseFormat;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import io.llava4j.train.data.format.QuestionRows;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The training data.
 *
 * @param json the records of one data set: LLaVA's JSON array or JSON lines (docs/reference/data.md#record-format), CSV, Parquet,
 *     WebDataset or a folder
 * @param images folder of its images; not needed if no record has one, or the images come with the records
 * @param sets several data sets in the place of {@code json} and {@code images}
 * @param followSymlinks whether symbolic links may lead out of {@code images}
 * @param imageAspectRatio what happens to images that are not square; {@code anyres} adds tiles of each image, as LLaVA-1.6 does
 * @param exifOrientation whether images are turned and mirrored as their EXIF orientation says; LLaVA ignores it
 * @param template conversation template
 * @param maxLength longest sequence in tokens, image tokens included; longer ones are truncated
 * @param groupByModality batches of images only or text only (docs/reference/training.md#sampler)
 * @param packing whether the sequences of a micro-batch follow each other without padding, each seeing itself only; the same
 *     losses in less time where lengths differ
 * @param missingImagePolicy what happens to a record whose image is missing or unreadable
 * @param badRecordPolicy what happens to a record that breaks the format's rules
 * @param maxLeftOut largest share of the records that may be left out before the first step, from 0 to 1; more stop the run
 * @param mergeByImage whether the questions of a table about one image make one conversation
 * @param responseFormat what such questions say about the form of the answer, unless a record has its own
 *     {@code response_format}
 * @param featureCache folder in which the frozen vision tower's features of each image are kept and found again, in the run's
 *     precision; other runs and processes may share it. No cache without it
 * @param workers threads that read images; 0 for one per processor but one
 */
public record DataConfig(
        @Nullable Path json,
        @Nullable Path images,
        @Nullable List<DataSet> sets,
        @Default("false") boolean followSymlinks,
        ImageAspectRatio imageAspectRatio,
        @Default("false") boolean exifOrientation,
        Template template,
        @Default("2048") int maxLength,
        boolean groupByModality,
        @Default("false") boolean packing,
        @Default("fail") Policy missingImagePolicy,
        @Default("skip") Policy badRecordPolicy,
        @Default("0.05") double maxLeftOut,
        @Default("true") boolean mergeByImage,
        @Default("none") ResponseFormat responseFormat,
        @Nullable Path featureCache,
        @Default("0") int workers) {

    public DataConfig {
        checkSets(json, images, sets);
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
                null,
                followSymlinks,
                imageAspectRatio,
                exifOrientation,
                template,
                maxLength,
                false,
                false,
                missingImagePolicy,
                badRecordPolicy,
                maxLeftOut,
                mergeByImage,
                responseFormat,
                null,
                workers);
    }

    private static void checkSets(@Nullable Path json, @Nullable Path images, @Nullable List<DataSet> sets) {
        if (sets == null) {
            Require.that(json != null, "json is missing; write a path, or several data sets under sets");
            return;
        }
        Require.that(
                json == null && images == null,
                "sets is set, so %s cannot be set as well; remove one".formatted(json != null ? "json" : "images"));
        Require.that(!sets.isEmpty(), "sets is empty; name a data set, or set json");
        Set<String> names = new HashSet<>();
        for (DataSet set : sets) {
            Require.that(
                    names.add(set.label()),
                    "sets has two data sets with the name %s; give each a name of its own".formatted(set.label()));
        }
        long weighted = sets.stream().filter(set -> set.weight() != null).count();
        Require.that(
                weighted != 1,
                "sets has one data set with a weight, which is relative to other weights; give others a weight too, or"
                        + " use repeat or limit");
    }

    /** What becomes of an image's orientation tag. */
    public ExifOrientation orientation() {
        return ExifOrientation.applied(exifOrientation);
    }

    /** The file of the one data set. */
    Path file() {
        return Objects.requireNonNull(json, "there are several data sets");
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
        PAD,
        /** The whole image stretched to a square, and tiles of it (docs/reference/preprocessing.md#anyres). */
        ANYRES;

        /** The same in the terms of image processing. */
        public AspectMode mode() {
            return switch (this) {
                case SQUARE -> AspectMode.CROP;
                case PAD -> AspectMode.PAD;
                case ANYRES -> AspectMode.ANYRES;
            };
        }
    }

    /** {@code version} of LLaVA (docs/reference/conversation.md#templates). */
    public enum Template {
        PLAIN,
        V1
    }
}
