package io.llava4j.train.data.raw;

import io.llava4j.DataException;
import io.llava4j.checkpoint.torch.PlainPickle;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.raw.Annotation.Region;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * RefCOCO, RefCOCO+ and RefCOCOg: sentences about boxes in COCO's images. Each set has a file {@code NAME-refs},
 * a Python pickle or the same as JSON, and a file {@code NAME-instances} with images and boxes.
 */
final class RefCocoReader implements SourceReader {
    private static final String REFS = "-refs";
    private static final String INSTANCES = "-instances";
    private static final Set<String> BOX = Set.of("id", "bbox");
    private static final Set<String> REF = Set.of("ref_id", "ann_id", "image_id", "split", "sentences");
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @Override
    public void read(SourceFiles files, Problems problems, Consumer<RawItem> out) {
        for (String role : files.roles()) {
            if (role.endsWith(REFS)) {
                String set = role.substring(0, role.length() - REFS.length());
                readSet(files.get(role), files.get(set + INSTANCES), problems, out);
            }
        }
    }

    private static void readSet(RawFile refs, RawFile instances, Problems problems, Consumer<RawItem> out) {
        Map<String, CocoImage> images = new HashMap<>();
        Map<String, double[]> boxes = new HashMap<>();
        CocoImage.read(instances, problems, images);
        RawJson.array(instances, "annotations", BOX, problems, record -> boxes.put(record.id("id"), box(record)));
        Consumer<RawRecord> visitor = record -> out.accept(item(record, images, boxes));
        if (isPickle(refs)) {
            readPickle(refs, problems, visitor);
        } else {
            RawJson.array(refs, "refs", REF, problems, visitor);
        }
    }

    private static double[] box(RawRecord record) {
        List<Double> values = new ArrayList<>();
        for (String value : record.texts("bbox")) {
            try {
                values.add(Double.parseDouble(value));
            } catch (NumberFormatException e) {
                throw RawRecord.wrong("bbox", "holds something that is not a number");
            }
        }
        if (values.size() != 4) {
            throw RawRecord.wrong("bbox", "does not have four numbers");
        }
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static RawItem item(RawRecord ref, Map<String, CocoImage> images, Map<String, double[]> boxes) {
        String imageId = ref.id("image_id");
        // Not the file_name of the reference, which contains the number of the box.
        CocoImage image = images.get(imageId);
        double[] box = boxes.get(ref.id("ann_id"));
        if (image == null || box == null) {
            throw new BadRecord("its %s is not in the instances file"
                    .formatted(image == null ? "image " + imageId : "box " + ref.id("ann_id")));
        }
        List<Region> regions = new ArrayList<>();
        for (RawRecord sentence : ref.records("sentences")) {
            regions.add(
                    new Region(sentence.text(sentence.has("sent") ? "sent" : "raw"), box[0], box[1], box[2], box[3]));
        }
        if (regions.isEmpty()) {
            throw new BadRecord("it has no sentences");
        }
        return new RawItem(
                imageId,
                image.fileName(),
                image.width(),
                image.height(),
                !ref.has("split") || ref.text("split").equals("train"),
                regions,
                ref.file(),
                ref.index());
    }

    private static boolean isPickle(RawFile file) {
        return file.read(in -> {
            int first = in.read();
            while (first == ' '
                    || first == '\n'
                    || first == '\r'
                    || first == '\t'
                    || first == 0xEF
                    || first == 0xBB
                    || first == 0xBF) {
                first = in.read();
            }
            return first != '[' && first != '{';
        });
    }

    private static void readPickle(RawFile file, Problems problems, Consumer<RawRecord> visitor) {
        String name = file.path().toString();
        if (!(PlainPickle.read(file.path()) instanceof List<?> refs)) {
            throw new DataException(name + " holds no list of references; check that it is the right file");
        }
        for (int i = 0; i < refs.size(); i++) {
            RawRecord record = new RawRecord(name, i, "", JSON.createObjectNode());
            try {
                record = new RawRecord(name, i, "", ref(refs.get(i)));
                visitor.accept(record);
            } catch (BadRecord e) {
                problems.skip(new SkippedRecord(name, i, record.name(), e.reason()));
            }
        }
    }

    /** The fields of a reference, copied by name: other parts of a malicious pickle may refer to themselves. */
    private static ObjectNode ref(Object value) {
        if (!(value instanceof Map<?, ?> ref)) {
            throw new BadRecord("it is not a dictionary");
        }
        ObjectNode node = JSON.createObjectNode();
        for (String field : List.of("ref_id", "ann_id", "image_id", "split")) {
            put(node, field, ref.get(field));
        }
        if (ref.get("sentences") instanceof List<?> sentences) {
            ArrayNode list = node.putArray("sentences");
            for (Object sentence : sentences) {
                if (!(sentence instanceof Map<?, ?> fields)) {
                    throw new BadRecord("one of its sentences is not a dictionary");
                }
                ObjectNode one = list.addObject();
                put(one, "sent", fields.get("sent"));
                put(one, "raw", fields.get("raw"));
            }
        }
        return node;
    }

    private static void put(ObjectNode node, String field, @Nullable Object value) {
        if (value instanceof String text) {
            node.put(field, text);
        } else if (value instanceof Long number) {
            node.put(field, number);
        }
    }
}
