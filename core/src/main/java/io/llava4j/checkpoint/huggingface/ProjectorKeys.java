package io.llava4j.checkpoint.huggingface;

import io.llava4j.ConfigException;
import io.llava4j.image.tile.Tiling;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.model.config.VisionConfig;
import tools.jackson.databind.node.ObjectNode;

/** The projector in LLaVA's own configurations (docs/reference/model.md#projector). */
final class ProjectorKeys {
    private static final String TYPE = "mm_projector_type";
    private static final String TOKEN_PACKER = "tokenpacker";

    /** A TokenPacker's; its first checkpoints have no such key and join squares of 2 x 2. */
    private static final String SCALE = "scale_factor";

    private ProjectorKeys() {}

    /** @throws ConfigException naming file and key, if it is unknown or cannot read the tower's features */
    static String read(ConfigReader config, VisionConfig vision, boolean keepCls, Tiling tiling) {
        String type = config.string(TYPE).orElse("linear");
        ProjectorType known = type.equals(TOKEN_PACKER)
                ? tokenPacker(config)
                : ProjectorType.find(type).orElseThrow(() -> config.bad(TYPE, ProjectorType.KNOWN));
        known.misfit(vision.grid(), keepCls).ifPresent(problem -> {
            throw new ConfigException("%s: mm_projector_type: %s".formatted(config.file(), problem));
        });
        if (known.reduces() && !tiling.isNone()) {
            throw config.bad(TYPE, "mlp2x_gelu with images in tiles");
        }
        return known.name();
    }

    private static ProjectorType tokenPacker(ConfigReader config) {
        int edge = config.integer(SCALE).orElse(2);
        return ProjectorType.find(ProjectorType.tokenPacker(edge).name())
                .orElseThrow(() -> config.bad(SCALE, "a whole number from 2 to 9"));
    }

    static void write(ObjectNode root, String projectorType) {
        ProjectorType type = ProjectorType.parse(projectorType);
        if (type.reduction() == ProjectorType.Reduction.TOKEN_PACKER) {
            root.put(TYPE, TOKEN_PACKER);
            root.put(SCALE, type.edge());
        } else {
            root.put(TYPE, type.name());
        }
    }
}
