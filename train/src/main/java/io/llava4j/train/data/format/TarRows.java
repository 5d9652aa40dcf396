package io.llava4j.train.data.format;

import io.llava4j.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * WebDataset shards: consecutive files with the same name up to the first dot are one sample. A sample is a {@code .json}
 * with a record, or a {@code .txt} with a caption, and its images: {@code KEY.jpg}, or several as {@link NumberedImages}.
 * Nothing is unpacked: images are read from the archive, by the record's {@code image}, or by their own names if it has
 * none.
 */
final class TarRows implements RowSource {
    private final List<Path> shards;

    TarRows(List<Path> shards) {
        this.shards = shards;
    }

    @Override
    public Images read(RecordHandler handler) throws IOException {
        List<FileChannel> files = new ArrayList<>();
        ImageArchive images = new ImageArchive(files);
        boolean done = false;
        try {
            for (Path shard : shards) {
                FileChannel file = open(shard);
                files.add(file);
                new Shard(shard, file, images, handler).read();
            }
            done = true;
            return images;
        } finally {
            if (!done) {
                images.close();
            }
        }
    }

    private static FileChannel open(Path shard) throws IOException {
        try {
            return FileChannel.open(shard);
        } catch (NoSuchFileException e) {
            throw new DataException(
                    "shard %s does not exist; download it or name only shards that exist".formatted(shard), e);
        }
    }

    /** Reads one file. */
    private static final class Shard {
        private final Set<String> finished = new HashSet<>();
        private final Path path;
        private final FileChannel file;
        private final ImageArchive images;
        private final RecordHandler handler;
        private final List<TarEntries.Entry> sample = new ArrayList<>();

        Shard(Path path, FileChannel file, ImageArchive images, RecordHandler handler) {
            this.path = path;
            this.file = file;
            this.images = images;
            this.handler = handler;
        }

        void read() throws IOException {
            TarEntries entries = new TarEntries(path, file);
            for (TarEntries.Entry entry = entries.next(); entry != null; entry = entries.next()) {
                if (entry.isFolder()) {
                    continue;
                }
                String complaint = entry.isFile() ? ImageLocator.complaint(entry.name()) : "it is not a plain file";
                if (complaint != null) {
                    handler.reject("entry '%s' of %s: %s".formatted(entry.name(), path.getFileName(), complaint), null);
                    continue;
                }
                if (!sample.isEmpty() && !key(sample.getFirst()).equals(key(entry))) {
                    finish();
                }
                if (finished.contains(key(entry))) {
                    throw new DataException(
                            "'%s' of %s is apart from the other files of sample '%s'; write each file once, with tar --sort=name"
                                    .formatted(entry.name(), path, key(entry)));
                }
                sample.add(entry);
            }
            finish();
        }

        private void finish() throws IOException {
            if (sample.isEmpty()) {
                return;
            }
            String key = key(sample.getFirst());
            TarEntries.Entry json = null;
            TarEntries.Entry caption = null;
            List<TarEntries.Entry> images = new ArrayList<>();
            finished.add(key);
            Set<String> names = new HashSet<>();
            String repeated = null;
            TarEntries.Entry dotted = null;
            for (TarEntries.Entry entry : sample) {
                repeated = names.add(entry.name()) ? repeated : entry.name();
                String extension = extension(entry);
                dotted = extension.endsWith(".json") || extension.endsWith(".txt") ? entry : dotted;
                if (extension.equals("json")) {
                    json = entry;
                } else if (extension.equals("txt") || extension.equals("caption")) {
                    caption = entry;
                } else if (CaptionedFolder.IMAGES.contains(extension.substring(extension.lastIndexOf('.') + 1))) {
                    images.add(entry);
                }
            }
            sample.clear();
            try {
                if (repeated != null) {
                    throw new DataException("'%s' stands in it twice; write each file once".formatted(repeated));
                }
                List<TarEntries.Entry> ordered = NumberedImages.inOrder(images);
                if (dotted != null && json == null && caption == null) {
                    throw new DataException(NumberedImages.dotted(dotted));
                }
                handler.row(row(key, json, caption, ordered));
            } catch (DataException e) {
                handler.reject("sample '%s' of %s: %s".formatted(key, path.getFileName(), e.getMessage()), e);
            }
        }

        private JsonNode row(
                String key,
                TarEntries.@Nullable Entry json,
                TarEntries.@Nullable Entry caption,
                List<TarEntries.Entry> entries)
                throws IOException {
            ObjectNode row = JsonNodeFactory.instance.objectNode();
            if (json != null) {
                try {
                    if (!(JsonRows.JSON.readTree(text(json)) instanceof ObjectNode object)) {
                        throw new DataException("its .json is not an object; write a record");
                    }
                    row = object;
                } catch (JacksonException e) {
                    throw new DataException("its .json is malformed: %s; repair it".formatted(JsonErrors.of(e)), e);
                }
            }
            if (!RowShapes.isKnown(row.propertyNames(), handler)) {
                if (caption == null && !handler.takesQuestions()) {
                    throw new DataException("it has neither a .json with a record nor a .txt with a caption; add one");
                }
                if (caption != null) {
                    row.put("caption", text(caption).strip());
                }
            }
            if (!row.has("id")) {
                row.put("id", key);
            }
            if (!entries.isEmpty()) {
                addImages(row, entries);
            }
            return row;
        }

        /** Adds images to the archive under the names that the row has for them, or else under their own. */
        private void addImages(ObjectNode row, List<TarEntries.Entry> entries) throws IOException {
            List<JsonNode> named = RowImages.known(row).values().stream()
                    .flatMap(value -> value.isArray() ? value.valueStream() : Stream.of(value))
                    .toList();
            if (!named.isEmpty() && named.size() != entries.size()) {
                throw new DataException(
                        "its record names %d images, but the archive has %d for it; add or remove images"
                                .formatted(named.size(), entries.size()));
            }
            List<String> names = new ArrayList<>();
            for (int i = 0; i < entries.size(); i++) {
                TarEntries.Entry entry = entries.get(i);
                String place = path.getFileName() + "/" + entry.name();
                String name = named.isEmpty() ? place : named.get(i).stringValue(place);
                String complaint = ImageLocator.complaint(name);
                if (complaint != null && ImageLocator.climbs(name)) {
                    throw new DataException(complaint);
                }
                // The bytes are here, so any other path that cannot be used is only a label that is not needed.
                names.add(images.add(complaint == null ? name : place, place, file, entry.offset(), entry.length()));
            }
            RowImages.replace(row, names);
        }

        private String text(TarEntries.Entry entry) throws IOException {
            if (entry.length() > JsonRows.MAX_RECORD_BYTES) {
                throw new DataException("'%s' has %d bytes, more than a record may have (%d); split it"
                        .formatted(entry.name(), entry.length(), JsonRows.MAX_RECORD_BYTES));
            }
            ByteBuffer bytes = TarEntries.read(file, entry.offset(), (int) entry.length());
            try {
                return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
            } catch (CharacterCodingException e) {
                throw new DataException("'%s' is not UTF-8; convert it".formatted(entry.name()), e);
            }
        }

        private static String key(TarEntries.Entry entry) {
            return entry.name().substring(0, endOfKey(entry.name()));
        }

        private static String extension(TarEntries.Entry entry) {
            String name = entry.name();
            return name.substring(Math.min(name.length(), endOfKey(name) + 1)).toLowerCase(Locale.ROOT);
        }
    }

    /** Index of the first dot in the last part of a path; the length of the path if there is none. */
    static int endOfKey(String name) {
        int dot = name.indexOf('.', name.lastIndexOf('/') + 1);
        return dot < 0 ? name.length() : dot;
    }
}
