package io.llava4j.train.data.raw;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Records of the raw files with boxes, with all fields of the original schemas (docs/reference/data.md#raw-schemas). */
public final class RegionSchemas {
    private RegionSchemas() {}

    /** A reference of RefCOCO: several sentences about one box. */
    public static Map<String, Object> reference(
            int refId, int annotationId, int imageId, int firstSentence, List<String> sentences) {
        List<Object> said = new ArrayList<>();
        List<Object> ids = new ArrayList<>();
        for (String sentence : sentences) {
            int id = firstSentence + said.size();
            ids.add(id);
            said.add(RawSchemas.ordered(
                    "tokens", List.of(sentence.split(" ")), "raw", sentence, "sent_id", id, "sent", sentence));
        }
        return RawSchemas.ordered(
                "sent_ids",
                ids,
                "file_name",
                CocoNames.of2014(Integer.toString(imageId)).replace(".jpg", "_" + annotationId + ".jpg"),
                "ann_id",
                annotationId,
                "ref_id",
                refId,
                "image_id",
                imageId,
                "split",
                "train",
                "sentences",
                said,
                "category_id",
                1);
    }

    /** An image in a file in COCO's format. */
    public static Map<String, Object> cocoImage(int imageId, int width, int height) {
        return RawSchemas.ordered(
                "license",
                1,
                "file_name",
                CocoNames.of2014(Integer.toString(imageId)),
                "height",
                height,
                "width",
                width,
                "id",
                imageId);
    }

    /** A box in a file in COCO's format. */
    public static Map<String, Object> cocoBox(
            int annotationId, int imageId, double x, double y, double width, double height) {
        return RawSchemas.ordered(
                "segmentation",
                List.of(List.of(x, y, x + width, y, x + width, y + height, x, y + height)),
                "area",
                width * height,
                "iscrowd",
                0,
                "image_id",
                imageId,
                "bbox",
                List.of(x, y, width, height),
                "category_id",
                1,
                "id",
                annotationId);
    }

    /** A region of Visual Genome. */
    public static Map<String, Object> region(
            int regionId, int imageId, String phrase, int x, int y, int width, int height) {
        return RawSchemas.ordered(
                "region_id",
                regionId,
                "width",
                width,
                "height",
                height,
                "image_id",
                imageId,
                "phrase",
                phrase,
                "y",
                y,
                "x",
                x);
    }

    /** An image of Visual Genome; odd ids are in the second folder. */
    public static Map<String, Object> visualGenomeImage(int imageId, int width, int height) {
        return RawSchemas.ordered(
                "width",
                width,
                "url",
                "https://cs.stanford.edu/people/rak248/" + visualGenomePath(imageId),
                "height",
                height,
                "image_id",
                imageId,
                "coco_id",
                imageId,
                "flickr_id",
                imageId);
    }

    /** Path of the image of {@link #visualGenomeImage}. */
    public static String visualGenomePath(int imageId) {
        return (imageId % 2 == 0 ? "VG_100K/" : "VG_100K_2/") + imageId + ".jpg";
    }
}
