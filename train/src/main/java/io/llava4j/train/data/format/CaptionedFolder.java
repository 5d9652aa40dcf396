package io.llava4j.train.data.format;

import io.llava4j.DataException;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A folder of images, each with its caption in a text file of the same name ({@code cat.jpg}, {@code cat.txt}), or all
 * described by one metadata file.
 */
final class CaptionedFolder implements RowSource {
    static final Set<String> IMAGES = Set.of("jpg", "jpeg", "png", "gif", "bmp", "webp");
    private static final int MAX_CAPTION_BYTES = 1 << 20;

    private final Path folder;
    private final @Nullable RowSource metadata;

    /** @param metadata reads the file that describes all images; null if each has a text file */
    CaptionedFolder(Path folder, @Nullable RowSource metadata) {
        this.folder = folder;
        this.metadata = metadata;
    }

    @Override
    public Images read(RecordHandler handler) throws IOException {
        Images images = new ImageFolder(folder, false);
        if (metadata != null) {
            metadata.read(handler);
            return images;
        }
        List<Path> files;
        try (Stream<Path> entries = Files.walk(folder)) {
            files = entries.filter(file -> IMAGES.contains(extension(file)))
                    .sorted()
                    .toList();
        }
        if (files.isEmpty()) {
            throw new DataException(
                    "%s holds no .tar, no .parquet, no metadata.csv and no images; name a folder that does"
                            .formatted(folder));
        }
        for (Path image : files) {
            String name = folder.relativize(image).toString().replace(File.separatorChar, '/');
            String fileName = image.getFileName().toString();
            Path text = image.resolveSibling(fileName.substring(0, fileName.lastIndexOf('.')) + ".txt");
            if (!Files.exists(text) && handler.takesQuestions()) {
                handler.row(
                        JsonNodeFactory.instance.objectNode().put("id", name).put("image", name));
                continue;
            }
            if (!Files.isRegularFile(text) || Files.size(text) > MAX_CAPTION_BYTES) {
                handler.reject(
                        "image '%s' has no caption; write one of at most 1 MiB into %s"
                                .formatted(name, text.getFileName()),
                        null);
                continue;
            }
            try {
                String caption = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(Files.readAllBytes(text)))
                        .toString()
                        .strip();
                ObjectNode row = JsonNodeFactory.instance.objectNode();
                handler.row(row.put("id", name).put("image", name).put("caption", caption));
            } catch (CharacterCodingException e) {
                handler.reject("the caption %s is not UTF-8; convert it".formatted(text.getFileName()), e);
            }
        }
        return images;
    }

    private static String extension(Path file) {
        String name = file.getFileName().toString();
        return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }
}
