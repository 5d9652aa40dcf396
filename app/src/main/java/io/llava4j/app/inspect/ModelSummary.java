package io.llava4j.app.inspect;

import io.llava4j.checkpoint.ModelFiles;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.checkpoint.gguf.GgufModel;
import io.llava4j.checkpoint.layout.TensorEntry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A model in a list of models.
 *
 * @param files what it is made of
 * @param format {@code gguf}, or {@code safetensors} for every other kind of folder
 * @param parameters count of all weights
 * @param type in which most of the language model is stored, such as F16 or Q4_K
 */
public record ModelSummary(ModelFiles files, String format, long parameters, String type) {
    /**
     * Describes a model that was loaded.
     *
     * @param model folder or GGUF file
     * @param tensors of all its parts
     * @throws io.llava4j.CheckpointException if its files cannot be read
     */
    public static ModelSummary of(Path model, ModelParts parts, Collection<TensorEntry> tensors) {
        List<Path> all = new ArrayList<>(List.of(model));
        Stream.of(parts.visionTower(), parts.mmproj()).filter(Objects::nonNull).forEach(all::add);
        Map<String, PartSizes> sizes = PartSizes.byPart(tensors);
        PartSizes total = Objects.requireNonNull(sizes.get(PartSizes.TOTAL));
        String type = sizes.getOrDefault(PartSizes.LANGUAGE_MODEL, total).bytesByType().entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse("");
        return new ModelSummary(
                ModelFiles.of(all), GgufModel.isAt(model) ? "gguf" : "safetensors", total.parameters(), type);
    }

    /** Number of parameters as people say it, such as 7.1B. */
    public String parametersInWords() {
        String[] units = {"", "K", "M", "B", "T"};
        double count = parameters;
        int unit = 0;
        while (count >= 999.95 && unit < units.length - 1) {
            count /= 1000;
            unit++;
        }
        return unit == 0 ? Long.toString(parameters) : String.format(Locale.ROOT, "%.1f%s", count, units[unit]);
    }
}
