package io.llava4j.train.data.raw;

import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.raw.Annotation.Region;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** Visual Genome: descriptions of regions; sizes and folders of the images are in a second file. */
final class VisualGenomeReader implements SourceReader {
    private static final Set<String> IMAGE = Set.of("image_id", "id", "width", "height", "url");
    private static final Set<String> REGIONS = Set.of("id", "regions");

    @Override
    public void read(SourceFiles files, Problems problems, Consumer<RawItem> out) {
        Map<String, CocoImage> images = new HashMap<>();
        RawJson.array(files.get("images"), "", IMAGE, problems, record -> {
            String id = record.id(record.has("image_id") ? "image_id" : "id");
            images.put(id, new CocoImage(path(record.text("url")), record.size("width"), record.size("height")));
        });
        RawJson.array(files.get("regions"), "", REGIONS, problems, record -> {
            List<Region> regions = new ArrayList<>();
            String id = record.has("id") ? record.id("id") : "";
            for (RawRecord region : record.records("regions")) {
                id = id.isEmpty() ? region.id("image_id") : id;
                try {
                    regions.add(region(region));
                } catch (BadRecord e) {
                    problems.skip(new SkippedRecord(
                            record.file(), record.index(), id, e.reason() + "; only this region is left out"));
                }
            }
            if (regions.isEmpty()) {
                throw new BadRecord("it has no regions");
            }
            CocoImage image = images.get(id);
            if (image == null) {
                throw new BadRecord("its image %s is not in the images file".formatted(id));
            }
            out.accept(new RawItem(
                    id, image.fileName(), image.width(), image.height(), true, regions, record.file(), record.index()));
        });
    }

    private static Region region(RawRecord region) {
        return new Region(
                region.text("phrase"),
                region.number("x"),
                region.number("y"),
                region.number("width"),
                region.number("height"));
    }

    /** Last folder and file name of the address: {@code VG_100K_2/1.jpg}. */
    private static String path(String url) {
        int name = url.lastIndexOf('/');
        int folder = name < 1 ? -1 : url.lastIndexOf('/', name - 1);
        if (folder < 0 || name == url.length() - 1) {
            throw RawRecord.wrong("url", "does not end in a folder and a file name");
        }
        return url.substring(folder + 1);
    }
}
