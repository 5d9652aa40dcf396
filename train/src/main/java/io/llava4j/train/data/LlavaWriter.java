package io.llava4j.train.data;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.Progress;
import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import io.llava4j.train.data.format.Images;
import io.llava4j.train.data.format.TarWriter;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Writes records as LLaVA's JSON array, as JSON lines, or with their images as WebDataset shards. */
public final class LlavaWriter {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** Size in bytes after which a new shard is started. */
    public static final long SHARD_BYTES = 1L << 30;

    private LlavaWriter() {}

    /** Formats of data files. */
    public enum Form {
        /** {@code .json} */
        ARRAY,
        /** {@code .jsonl} */
        LINES,
        /** A name without the ending of a file: a folder of {@code 000000.tar}, {@code 000001.tar} … with the images. */
        SHARDS;

        /** Endings of files that somebody would expect, but that are not written. */
        private static final Set<String> NOT_WRITTEN = Set.of(
                "csv", "tsv", "txt", "xlsx", "parquet", "arrow", "ndjson", "yaml", "yml", "html", "pkl", "npz", "tar",
                "tgz", "gz", "bz2", "xz", "zst", "zip", "7z");

        /**
         * The format that a name implies.
         *
         * @throws ConfigException for the ending of a file that is not written
         */
        public static Form of(Path target) {
            String name = target.getFileName().toString().toLowerCase(Locale.ROOT);
            if (name.endsWith(".json")) {
                return ARRAY;
            }
            if (name.endsWith(".jsonl")) {
                return LINES;
            }
            String ending = name.substring(name.lastIndexOf('.') + 1);
            if (NOT_WRITTEN.contains(ending)) {
                throw new ConfigException(
                        "%s: .%s is not written; name a .json or .jsonl file, or a folder for tar shards with the images"
                                .formatted(target, ending));
            }
            return SHARDS;
        }
    }

    /**
     * Writes a JSON array or JSON lines, atomically.
     *
     * @param target ends with {@code .json} or {@code .jsonl}
     * @param records to write, in this order
     */
    public static void write(Path target, List<LlavaRecord> records) {
        write(target, records, position -> Map.of());
    }

    /**
     * Writes a JSON array or JSON lines, atomically.
     *
     * @param target ends with {@code .json} or {@code .jsonl}
     * @param records to write, in this order
     * @param extra further fields of a record, by its position among the records
     */
    public static void write(Path target, List<LlavaRecord> records, IntFunction<Map<String, JsonNode>> extra) {
        boolean lines = Form.of(target) == Form.LINES;
        AtomicFiles.write(target, channel -> {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
            if (!lines) {
                out.write('[');
            }
            for (int i = 0; i < records.size(); i++) {
                out.write(json(records.get(i), extra.apply(i)));
                if (lines) {
                    out.write('\n');
                } else if (i < records.size() - 1) {
                    out.write(",\n".getBytes(StandardCharsets.UTF_8));
                }
            }
            if (!lines) {
                out.write("]\n".getBytes(StandardCharsets.UTF_8));
            }
            out.flush();
        });
    }

    /**
     * Writes records and their images as WebDataset shards. The bytes depend on records and images alone.
     *
     * @param folder created atomically; must be missing or empty
     * @param records to write, in this order, one sample each
     * @param extra further fields of a record, by its position among the records
     * @param images of the records; their files are copied unchanged
     * @param shardBytes size in bytes after which a new shard is started
     * @param progress called with the number of records written
     * @throws DataException if an image cannot be read; then nothing is written
     */
    public static void writeShards(
            Path folder,
            List<LlavaRecord> records,
            IntFunction<Map<String, JsonNode>> extra,
            Images images,
            long shardBytes,
            Progress progress) {
        AtomicFiles.writeDirectory(folder, partial -> {
            int shard = 0;
            TarWriter tar = TarWriter.create(partial.resolve(shardName(shard)));
            try {
                for (int i = 0; i < records.size(); i++) {
                    if (tar.length() >= shardBytes) {
                        tar.close();
                        tar = TarWriter.create(partial.resolve(shardName(++shard)));
                    }
                    writeSample(tar, "%09d".formatted(i), records.get(i), extra.apply(i), images);
                    progress.update(i + 1, records.size());
                }
            } finally {
                tar.close();
            }
        });
    }

    private static void writeSample(
            TarWriter tar, String key, LlavaRecord record, Map<String, JsonNode> extra, Images images)
            throws IOException {
        for (int i = 0; i < record.images().size(); i++) {
            byte[] bytes = images.bytes(record.images().get(i));
            String number = record.images().size() == 1 ? "" : "." + i;
            tar.add(key + number + "." + extension(bytes), bytes);
        }
        tar.add(key + ".json", json(record, extra));
    }

    private static String shardName(int shard) {
        return "%06d.tar".formatted(shard);
    }

    /** By content: readers of shards trust the extension, and data sets contain wrong ones. */
    private static String extension(byte[] bytes) {
        int first = bytes.length > 0 ? bytes[0] & 0xff : 0;
        return switch (first) {
            case 0x89 -> "png";
            case 'G' -> "gif";
            case 'B' -> "bmp";
            case 'R' -> "webp";
            default -> "jpg";
        };
    }

    /** A record as a JSON object in LLaVA's format, in UTF-8 and without line breaks. */
    public static byte[] json(LlavaRecord record) {
        return json(record, Map.of());
    }

    private static byte[] json(LlavaRecord record, Map<String, JsonNode> extra) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringProperty("id", record.id());
            writeImages(json, record.images());
            json.writeArrayPropertyStart("conversations");
            for (Turn turn : record.turns()) {
                json.writeStartObject();
                json.writeStringProperty("from", turn.role() == Role.HUMAN ? "human" : "gpt");
                json.writeStringProperty("value", turn.text());
                json.writeEndObject();
            }
            json.writeEndArray();
            if (!record.system().isEmpty()) {
                json.writeStringProperty("system", record.system());
            }
            extra.forEach(json::writePOJOProperty);
            json.writeEndObject();
        }
        return out.toByteArray();
    }

    /** A string for one image, as LLaVA writes it; a list for several; nothing for none. */
    private static void writeImages(JsonGenerator json, List<String> images) {
        if (images.size() == 1) {
            json.writeStringProperty("image", images.getFirst());
        } else if (!images.isEmpty()) {
            json.writeArrayPropertyStart("image");
            images.forEach(json::writeString);
            json.writeEndArray();
        }
    }
}
