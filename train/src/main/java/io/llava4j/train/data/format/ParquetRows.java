package io.llava4j.train.data.format;

import dev.hardwood.metadata.ColumnChunk;
import dev.hardwood.metadata.CompressionCodec;
import dev.hardwood.metadata.RowGroup;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.hardwood.row.PqList;
import dev.hardwood.row.PqStruct;
import dev.hardwood.row.StructAccessor;
import io.llava4j.DataException;
import io.llava4j.image.ImageDecoder;
import io.llava4j.io.Quote;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Parquet as in Hugging Face's data sets: images are bytes, or structs of {@code bytes} and {@code path}.
 *
 * <p>A column of a row group has no random access, so images are copied once into a temporary file of the same size,
 * which is deleted when the data set is closed.
 */
final class ParquetRows implements RowSource {
    private static final Set<CompressionCodec> CODECS = Set.of(
            CompressionCodec.UNCOMPRESSED, CompressionCodec.SNAPPY, CompressionCodec.GZIP, CompressionCodec.ZSTD);
    /** Kept in a field: the level of a logger without references may be lost. */
    private static final Logger LIBRARY = Logger.getLogger("dev.hardwood");

    static {
        LIBRARY.setLevel(Level.WARNING);
    }

    private static final int MAGIC = 4;
    private static final int PATIENCE_SECONDS = 20;
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final List<Path> files;

    ParquetRows(List<Path> files) {
        this.files = files;
    }

    @Override
    public Images read(RecordHandler handler) throws IOException {
        Path temporary = Files.createTempFile("llava-images", ".bin");
        FileChannel storage = FileChannel.open(
                temporary, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
        ImageArchive images = new ImageArchive(List.of(storage));
        boolean done = false;
        try {
            for (Path file : files) {
                readWatched(new OneFile(file, storage, images, handler));
            }
            done = true;
            return images;
        } finally {
            if (!done) {
                images.close();
            }
        }
    }

    /** Some damaged files block the reader for ever, so it runs in a thread and is abandoned if no row comes. */
    private static void readWatched(OneFile file) throws IOException {
        FutureTask<@Nullable Void> task = new FutureTask<>(() -> {
            file.read();
            return null;
        });
        Thread.ofPlatform().daemon().name("parquet").start(task);
        long row = 0;
        for (int waited = 0; waited < PATIENCE_SECONDS; waited++) {
            try {
                task.get(1, TimeUnit.SECONDS);
                return;
            } catch (TimeoutException e) {
                if (file.row != row) {
                    row = file.row;
                    waited = 0;
                }
            } catch (ExecutionException e) {
                if (e.getCause() instanceof DataException data) {
                    throw data;
                }
                throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new DataException("reading %s was interrupted; run it again".formatted(file.file), e);
            }
        }
        throw new DataException("%s gives no row after row %d for %d seconds; it is damaged, download it again"
                .formatted(file.file, row, PATIENCE_SECONDS));
    }

    /** Reads one file. */
    private static final class OneFile {
        private final Path file;
        private final FileChannel storage;
        private final ImageArchive images;
        private final RecordHandler handler;
        private volatile long row;

        OneFile(Path file, FileChannel storage, ImageArchive images, RecordHandler handler) {
            this.file = file;
            this.storage = storage;
            this.images = images;
            this.handler = handler;
        }

        void read() throws IOException {
            // The library throws many kinds of exceptions, and a declared size may exceed any memory.
            try (ParquetFileReader reader = ParquetFileReader.open(new PlainFile(file))) {
                checkColumns(reader, Files.size(file));
                try (RowReader rows = reader.rowReader()) {
                    while (rows.hasNext()) {
                        rows.next();
                        accept(rows);
                        row = row + 1;
                    }
                }
            } catch (DataException | NoSuchFileException e) {
                throw e;
            } catch (RuntimeException | IOException e) {
                throw new DataException(
                        "%s is damaged Parquet near row %d: %s; download it again".formatted(file, row, reason(e)), e);
            } catch (OutOfMemoryError e) {
                throw new DataException(
                        "%s needs more memory than there is near row %d; write it with smaller row groups or raise -Xmx"
                                .formatted(file, row),
                        e);
            }
        }

        /** A chunk outside the file would block the reader for ever. */
        private void checkRange(ColumnChunk chunk, long length) {
            long start = chunk.chunkStartOffset();
            long size = chunk.metaData().totalCompressedSize();
            long values = chunk.metaData().numValues();
            if (start < MAGIC
                    || size < (values == 0 ? 0 : 1)
                    || size > length - MAGIC - start
                    || values < 0
                    || chunk.metaData().dataPageOffset() < start
                    || chunk.metaData().dataPageOffset() >= start + size) {
                throw new DataException(
                        "%s is damaged Parquet: a column is outside the file; download it again".formatted(file));
            }
        }

        private void checkColumns(ParquetFileReader reader, long length) {
            List<String> columns = new ArrayList<>();
            reader.getFileSchema().getRootNode().children().forEach(node -> columns.add(node.name()));
            if (!RowShapes.isKnown(columns, handler)) {
                throw new DataException(
                        "%s has the columns %s; it needs conversations, or image with question and answer, or image with caption"
                                .formatted(file, columns));
            }
            for (RowGroup group : reader.getFileMetaData().rowGroups()) {
                for (ColumnChunk chunk : group.columns()) {
                    checkRange(chunk, length);
                    if (!CODECS.contains(chunk.metaData().codec())) {
                        throw new DataException("%s is compressed with %s; write it with snappy, gzip or zstd"
                                .formatted(file, chunk.metaData().codec()));
                    }
                }
            }
        }

        private void accept(StructAccessor rows) throws IOException {
            try {
                ObjectNode object = object(rows);
                requireUse(rows, object);
                if (!object.has("id") && !object.has("question_id")) {
                    object.put("id", file.getFileName() + "#" + row);
                }
                handler.row(object);
            } catch (DataException e) {
                handler.reject("row %d of %s: %s".formatted(row, file.getFileName(), e.getMessage()), e);
            }
        }

        /** An image in a column whose name nobody knows must not turn the row into text only. */
        private static void requireUse(StructAccessor row, ObjectNode object) {
            if (!RowImages.known(object).isEmpty()) {
                return;
            }
            for (int i = 0; i < row.getFieldCount(); i++) {
                if (!row.isNull(i)
                        && (row.getValue(i) instanceof byte[]
                                || (row.getValue(i) instanceof PqStruct struct && isImage(struct)))) {
                    throw new DataException("its column '%s' holds an image but is not known as one; call it image"
                            .formatted(row.getFieldName(i)));
                }
            }
        }

        private ObjectNode object(StructAccessor struct) throws IOException {
            ObjectNode object = NODES.objectNode();
            for (int i = 0; i < struct.getFieldCount(); i++) {
                if (!struct.isNull(i)) {
                    object.set(struct.getFieldName(i), node(struct.getValue(i)));
                }
            }
            return object;
        }

        private JsonNode node(@Nullable Object value) throws IOException {
            if (value == null) {
                return NODES.nullNode();
            }
            return switch (value) {
                case String text -> NODES.stringNode(text);
                case Boolean truth -> NODES.booleanNode(truth);
                case Long number -> NODES.numberNode(number);
                case Integer number -> NODES.numberNode(number);
                case Number number -> NODES.numberNode(number.doubleValue());
                case byte[] bytes -> image(bytes, null);
                case PqStruct struct -> isImage(struct) ? image(struct) : object(struct);
                case PqList list -> {
                    ArrayNode array = NODES.arrayNode();
                    for (int i = 0; i < list.size(); i++) {
                        array.add(node(list.isNull(i) ? null : list.get(i)));
                    }
                    yield array;
                }
                default -> NODES.stringNode(value.toString());
            };
        }

        /** Whether this is Hugging Face's image: its bytes, or only a path if the file is elsewhere. */
        private static boolean isImage(PqStruct struct) {
            boolean bytes = false;
            boolean path = false;
            for (int i = 0; i < struct.getFieldCount(); i++) {
                bytes |= struct.getFieldName(i).equals("bytes");
                path |= struct.getFieldName(i).equals("path");
            }
            return bytes && path;
        }

        private JsonNode image(PqStruct struct) throws IOException {
            String path = struct.isNull("path") ? null : struct.getString("path");
            if (struct.isNull("bytes")) {
                if (path == null) {
                    return NODES.nullNode();
                }
                throw new DataException("its image %s is not in the file; embed the bytes".formatted(Quote.of(path)));
            }
            return image(struct.getBinary("bytes"), path);
        }

        private JsonNode image(byte[] bytes, @Nullable String path) throws IOException {
            // The bytes are here, so a path is only a label: one that leads elsewhere is not needed.
            String place = file.getFileName() + "/" + row;
            String name = path == null || ImageLocator.complaint(path) != null ? place : path;
            if (bytes.length > ImageDecoder.MAX_FILE_BYTES) {
                throw new DataException("its image has %d bytes, more than the limit of %d; scale it down"
                        .formatted(bytes.length, ImageDecoder.MAX_FILE_BYTES));
            }
            long offset = storage.size();
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                storage.write(buffer, offset + buffer.position());
            }
            return NODES.stringNode(images.add(name, place, storage, offset, bytes.length));
        }

        private static String reason(Exception e) {
            return String.valueOf(e.getMessage())
                    .lines()
                    .findFirst()
                    .orElse(e.getClass().getSimpleName());
        }
    }
}
