package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.WeightFile;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.checkpoint.torch.TorchBin;
import io.llava4j.io.FileErrors;
import io.llava4j.io.ForeignContent;
import io.llava4j.io.StrictJson;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** The weight files of a folder as one set of tensors, under the names in the files. */
public final class WeightFiles implements AutoCloseable {
    private static final String TORCH_SINGLE = "pytorch_model.bin";
    private static final String TORCH_INDEX = "pytorch_model.bin.index.json";

    /** Settings that transformers pickles beside the weights; no tensors. */
    private static final String TORCH_SETTINGS = "training_args.bin";

    private final List<WeightFile> files = new ArrayList<>();
    private final SequencedMap<String, TensorEntry> tensors = new LinkedHashMap<>();

    private WeightFiles() {}

    /**
     * Opens all weight files of a folder, or one file.
     *
     * @throws CheckpointException naming file and tensor if a file is missing, damaged or ambiguous
     */
    public static WeightFiles open(Path directoryOrFile) {
        WeightFiles weights = new WeightFiles();
        boolean opened = false;
        try {
            if (Files.isDirectory(directoryOrFile)) {
                weights.addDirectory(directoryOrFile);
            } else {
                weights.add(directoryOrFile);
            }
            opened = true;
            return weights;
        } finally {
            if (!opened) {
                weights.close();
            }
        }
    }

    /**
     * Opens one file; its first bytes determine the format.
     *
     * @throws CheckpointException naming file and tensor if the file is damaged
     */
    public static WeightFile openFile(Path file) {
        ForeignContent.describe(file).ifPresent(what -> {
            throw new CheckpointException("%s %s".formatted(file, what));
        });
        return isTorch(file) ? TorchBin.open(file) : SafeTensors.open(file);
    }

    private static boolean isTorch(Path file) {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return TorchBin.begins(in.readNBytes(TorchBin.MAGIC_BYTES));
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    /** Tensors by their name on disk. */
    public SequencedMap<String, TensorEntry> tensors() {
        return Collections.unmodifiableSequencedMap(tensors);
    }

    /** The files that were opened. */
    List<Path> files() {
        return files.stream().map(WeightFile::file).toList();
    }

    /** If a folder has weights in both formats, safetensors win, as in transformers. */
    private void addDirectory(Path directory) {
        if (!addStandard(directory, SafeTensors.SINGLE, SafeTensors.INDEX)
                && !addStandard(directory, TORCH_SINGLE, TORCH_INDEX)) {
            list(directory).forEach(this::add);
        }
    }

    private boolean addStandard(Path directory, String singleName, String indexName) {
        boolean single = Files.exists(directory.resolve(singleName));
        boolean index = Files.exists(directory.resolve(indexName));
        if (single && index) {
            throw new CheckpointException("%s holds both %s and %s; remove the one that is stale"
                    .formatted(directory, singleName, indexName));
        }
        if (single) {
            add(directory.resolve(singleName));
        } else if (index) {
            addIndexed(directory, directory.resolve(indexName));
        }
        return single || index;
    }

    private static List<Path> list(Path directory) {
        try (Stream<Path> entries = Files.list(directory)) {
            List<Path> all = entries.sorted().toList();
            for (String ending : List.of(".safetensors", ".bin")) {
                List<Path> weights = all.stream()
                        .filter(file ->
                                file.getFileName().toString().endsWith(ending) && !file.endsWith(TORCH_SETTINGS))
                        .toList();
                if (!weights.isEmpty()) {
                    return weights;
                }
            }
            throw new CheckpointException(
                    "%s holds no .safetensors and no .bin file; name a model folder".formatted(directory));
        } catch (IOException e) {
            throw FileErrors.cannotRead(directory, e);
        }
    }

    private void addIndexed(Path directory, Path index) {
        JsonNode map = StrictJson.object(index).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new CheckpointException("%s: weight_map is missing or empty".formatted(index));
        }
        Map<String, String> shardOf = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> property : map.properties()) {
            String shard = property.getValue().isString() ? property.getValue().stringValue() : "";
            // A shard is a plain file name; anything else could point outside the folder.
            if (!shard.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,200}")) {
                throw new CheckpointException("%s: tensor '%s' lies in %s, which is not the name of a file here"
                        .formatted(index, property.getKey(), property.getValue()));
            }
            shardOf.put(property.getKey(), shard);
        }
        Set<String> shards = new LinkedHashSet<>(shardOf.values());
        for (String shard : shards) {
            Path file = directory.resolve(shard);
            if (!Files.exists(file)) {
                throw new CheckpointException(
                        "%s names %s, which is missing; fetch all shards".formatted(index, shard));
            }
            for (String name : add(file).tensors().keySet()) {
                if (!shard.equals(shardOf.get(name))) {
                    throw new CheckpointException(
                            "%s: tensor '%s' is not listed in %s".formatted(file, name, index.getFileName()));
                }
            }
        }
        for (Map.Entry<String, String> listed : shardOf.entrySet()) {
            if (!tensors.containsKey(listed.getKey())) {
                throw new CheckpointException("%s: tensor '%s' is listed in %s but missing"
                        .formatted(directory.resolve(listed.getValue()), listed.getKey(), index.getFileName()));
            }
        }
    }

    private WeightFile add(Path file) {
        WeightFile opened = openFile(file);
        files.add(opened);
        for (TensorEntry tensor : opened.tensors().values()) {
            if (tensors.put(tensor.name(), tensor) != null) {
                throw new CheckpointException(
                        "%s: tensor '%s' is in another file of this folder too".formatted(file, tensor.name()));
            }
        }
        return opened;
    }

    @Override
    public void close() {
        files.forEach(WeightFile::close);
    }
}
