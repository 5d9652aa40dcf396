package io.llava4j.train.data.raw;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.databind.json.JsonMapper;

/** Writes a raw annotation file record by record, in one of the three shapes of raw files. */
public final class RawWriter implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final JsonGenerator out;
    private final boolean inField;
    private final boolean keyed;

    private RawWriter(JsonGenerator out, boolean inField, boolean keyed) {
        this.out = out;
        this.inField = inField;
        this.keyed = keyed;
    }

    /** Starts a file that is an array of records. */
    public static RawWriter array(Path file) throws IOException {
        JsonGenerator out = open(file);
        out.writeStartArray();
        return new RawWriter(out, false, false);
    }

    /**
     * Starts a file that is an object with an array of records.
     *
     * @param head fields before the array
     * @param field of the array
     */
    public static RawWriter field(Path file, Map<String, ?> head, String field) throws IOException {
        JsonGenerator out = open(file);
        out.writeStartObject();
        head.forEach(out::writePOJOProperty);
        out.writeArrayPropertyStart(field);
        return new RawWriter(out, true, false);
    }

    /** Starts a file that is an object of records by key. */
    public static RawWriter keyed(Path file) throws IOException {
        JsonGenerator out = open(file);
        out.writeStartObject();
        return new RawWriter(out, false, true);
    }

    private static JsonGenerator open(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        return JSON.createGenerator(new BufferedOutputStream(Files.newOutputStream(file), 1 << 18))
                .configure(StreamWriteFeature.FLUSH_PASSED_TO_STREAM, false);
    }

    /** Adds a record to an array. */
    public void add(Map<String, ?> record) {
        out.writePOJO(record);
    }

    /** Adds a record to an object of records. */
    public void add(String key, Map<String, ?> record) {
        out.writePOJOProperty(key, record);
    }

    @Override
    public void close() {
        if (keyed) {
            out.writeEndObject();
        } else {
            out.writeEndArray();
            if (inField) {
                out.writeEndObject();
            }
        }
        out.close();
    }
}
