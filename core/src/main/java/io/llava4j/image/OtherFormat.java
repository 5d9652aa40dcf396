package io.llava4j.image;

import java.util.List;
import java.util.Optional;

/**
 * A format that is not decoded, known by its first bytes.
 *
 * @param name for messages
 * @param at where {@code magic} stands
 * @param magic a character a byte
 */
record OtherFormat(String name, int at, String magic) {
    private static final List<OtherFormat> ALL = List.of(
            new OtherFormat("a HEIC image", 4, "ftyphei"),
            new OtherFormat("a HEIC image", 4, "ftyphev"),
            new OtherFormat("a HEIC image", 4, "ftypmif1"),
            new OtherFormat("a HEIC image", 4, "ftypmsf1"),
            new OtherFormat("an AVIF image", 4, "ftypavi"),
            new OtherFormat("a video", 4, "ftyp"),
            new OtherFormat("a video", 0, "\u001aE\u00df\u00a3"),
            new OtherFormat("a JPEG XL image", 0, "\u00ff\n"),
            new OtherFormat("a JPEG XL image", 4, "JXL "),
            new OtherFormat("a JPEG 2000 image", 4, "jP  "),
            new OtherFormat("a JPEG 2000 image", 0, "\u00ffO\u00ffQ"),
            new OtherFormat("a Photoshop document", 0, "8BPS"),
            new OtherFormat("a PDF document", 0, "%PDF"),
            new OtherFormat("a Windows icon", 0, "\0\0\u0001\0"),
            new OtherFormat("a DDS texture", 0, "DDS "),
            new OtherFormat("a Netpbm image", 0, "P3\n"),
            new OtherFormat("a Netpbm image", 0, "P5\n"),
            new OtherFormat("a Netpbm image", 0, "P6\n"),
            new OtherFormat("a ZIP archive", 0, "PK\u0003\u0004"),
            new OtherFormat("a gzip archive", 0, "\u001f\u008b"));

    /** The name of a file's format; empty if it is none of these. */
    static Optional<String> of(ImageBytes in) {
        return ALL.stream()
                .filter(format -> in.matches(format.at, format.magic))
                .map(OtherFormat::name)
                .findFirst();
    }
}
