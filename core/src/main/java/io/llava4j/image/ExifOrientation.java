package io.llava4j.image;

/** What becomes of the orientation tag of an image, which cameras write and LLaVA ignores. */
public enum ExifOrientation {
    /** The pixels stay as they are stored, as in LLaVA. */
    IGNORE,
    /** The image is turned and mirrored to how it is meant to be seen, as by Pillow's {@code ImageOps.exif_transpose}. */
    APPLY;

    /** What a model's id says of it; empty for LLaVA's own way. */
    public String idSuffix() {
        return this == APPLY ? "exif-orientation" : "";
    }

    /** {@link #APPLY} if it is to be applied. */
    public static ExifOrientation applied(boolean apply) {
        return apply ? APPLY : IGNORE;
    }
}
