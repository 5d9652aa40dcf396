package io.llava4j.train.data.raw;

import io.llava4j.io.KebabCase;
import java.util.List;

/** The kinds of sources that a mixture can have, by the form of their raw files (docs/reference/data.md#raw-schemas). */
public enum SourceKind {
    /** LLaVA's own format, JSON or JSON lines, in any number of files. */
    LLAVA(new LlavaReader(), true),
    /** Shared conversations without images, in any number of files. */
    SHAREGPT(new ShareGptReader(), true),
    /** VQAv2 and OKVQA: files {@code questions} and {@code annotations}. */
    VQA(new VqaReader(), false, "questions", "annotations"),
    /** Any number of files of questions. */
    GQA(new GqaReader(), false),
    /** File {@code annotations}. */
    OCR_VQA(new OcrVqaReader(), true, "annotations"),
    /** File {@code annotations}. */
    A_OKVQA(new AOkvqaReader(), false, "annotations"),
    /** File {@code captions} and, for OCR tokens, {@code ocr}. */
    TEXT_CAPS(new TextCapsReader(), false, "captions"),
    /** File {@code captions}. */
    COCO_CAPTIONS(new CocoCaptionsReader(), false, "captions"),
    /** For each of the sets, files {@code NAME-refs} and {@code NAME-instances}. */
    REF_COCO(new RefCocoReader(), false),
    /** Files {@code regions} and {@code images}. */
    VISUAL_GENOME(new VisualGenomeReader(), true, "regions", "images");

    private final SourceReader reader;
    private final boolean grouped;
    private final List<String> roles;

    SourceKind(SourceReader reader, boolean grouped, String... roles) {
        this.reader = reader;
        this.grouped = grouped;
        this.roles = List.of(roles);
    }

    /** Its name in a recipe. */
    public String key() {
        return KebabCase.of(this);
    }

    /** The reader of such files. */
    public SourceReader reader() {
        return reader;
    }

    /** Whether one record of the file holds all annotations of an image, so that none need be gathered. */
    public boolean grouped() {
        return grouped;
    }

    /** Roles of the files that a recipe must name; it may name others. */
    public List<String> roles() {
        return roles;
    }
}
