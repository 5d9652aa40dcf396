package io.llava4j.train.data;

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
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.json.JsonMapper;

/** Writes records as LLaVA's JSON array, as JSON lines, or with their images as WebDataset shards. */
public final class LlavaWriter {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** A shard is closed when it has this many bytes. */
    public static final long SHARD_BYTES = 1L << 30;

    private LlavaWriter() {}

    /** What a name stands for. */
    public enum Form {
        /** {@code .json} */
        ARRAY,
        /** {@code .jsonl} */
        LINES,
        /** Any other name: a folder of {@code 000000.tar}, {@code 000001.tar} … with images. */
        SHARDS;

        /** The form a target's name asks for. */
        public static Form of(Path target) {
            String name = target.getFileName().toString().toLowerCase(Locale.ROOT);
            return name.endsWith(".json") ? ARRAY : name.endsWith(".jsonl") ? LINES : SHARDS;
        }
    }

    /**
     * Writes a JSON array or JSON lines, in one step.
     *
     * @param target ends with {@code .json} or {@code .jsonl}
     * @param records in the order in which they are written
     */
    public static void write(Path target, List<LlavaRecord> records) {
        boolean lines = Form.of(target) == Form.LINES;
        AtomicFiles.write(target, channel -> {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
            if (!lines) {
                out.write('[');
            }
            for (Iterator<LlavaRecord> rest = records.iterator(); rest.hasNext(); ) {
                out.write(json(rest.next()));
                if (lines) {
                    out.write('\n');
                } else if (rest.hasNext()) {
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
     * Writes records and their images as WebDataset shards. The bytes depend on the records and images alone.
     *
     * @param folder made in one step; must not exist, or be empty
     * @param records one sample each, in their order
     * @param images where the records' images are; their files are taken as they are
     * @param shardBytes a shard is closed when it has this many bytes
     * @param progress told how far it is
     * @throws DataException if an image cannot be read; then nothing is written
     */
    public static void writeShards(
            Path folder, List<LlavaRecord> records, Images images, long shardBytes, Progress progress) {
        AtomicFiles.writeDirectory(folder, partial -> {
            int shard = 0;
            TarWriter tar = TarWriter.create(partial.resolve(shardName(shard)));
            try {
                for (int i = 0; i < records.size(); i++) {
                    if (tar.length() >= shardBytes) {
                        tar.close();
                        tar = TarWriter.create(partial.resolve(shardName(++shard)));
                    }
                    writeSample(tar, "%09d".formatted(i), records.get(i), images);
                    progress.update(i + 1, records.size());
                }
            } finally {
                tar.close();
            }
        });
    }

    private static void writeSample(TarWriter tar, String key, LlavaRecord record, Images images) throws IOException {
        for (int i = 0; i < record.images().size(); i++) {
            byte[] bytes = images.bytes(record.images().get(i));
            String number = record.images().size() == 1 ? "" : "." + i;
            tar.add(key + number + "." + extension(bytes), bytes);
        }
        tar.add(key + ".json", json(record));
    }

    private static String shardName(int shard) {
        return "%06d.tar".formatted(shard);
    }

    /** By content: readers of shards go by the extension, and data sets are known for wrong ones. */
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

    /** A record as LLaVA's JSON object, in UTF-8 and without line breaks. */
    public static byte[] json(LlavaRecord record) {
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
