package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.huggingface.KnownTowers;
import io.llava4j.checkpoint.huggingface.ModelConfigs;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.VisionConfig;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the vision tower of a liuhaotian model that is stored without it (docs/reference/model.md#llava-layout).
 *
 * @param model folder of the model
 * @param given folder of the tower; null takes {@code mm_vision_tower} of the configuration as a path, relative to the
 *     model's folder
 */
record VisionTowerLocator(Path model, @Nullable Path given) {
    /**
     * The model that the configuration describes; the tower's shape comes from the tower's folder if the configuration
     * does not give it.
     *
     * @throws ConfigException naming file and key, if a configuration cannot be used
     */
    ModelKind modelKind() {
        return ModelConfigs.read(
                model, name -> find(name).map(VisionTowerLocator::shape).or(() -> KnownTowers.shape(name)));
    }

    private static VisionConfig shape(Path folder) {
        if (ModelConfigs.read(folder, KnownTowers::shape) instanceof ModelKind.Clip clip) {
            return clip.vision();
        }
        throw new CheckpointException("%s is given as vision tower but is not a CLIP model".formatted(folder));
    }

    private Optional<Path> find(String name) {
        if (given != null) {
            return Optional.of(given);
        }
        try {
            return Optional.of(model.resolve(name).normalize())
                    .filter(folder -> !name.isEmpty() && Files.exists(folder.resolve(ModelConfigs.FILE)));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    /**
     * The tower's folder.
     *
     * @param shown name of the model in the message
     * @throws CheckpointException if it does not exist
     */
    Path require(Path shown) {
        String name = ModelConfigs.towerName(model).orElse("");
        return find(name)
                .orElseThrow(() -> new CheckpointException(
                        "%s holds no vision tower and mm_vision_tower '%s' is no folder; download it and name it with --vision-tower"
                                .formatted(shown, name)));
    }
}
