package io.llava4j.app.ablate;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.ModelLoader;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.cpu.CpuClipTower;
import io.llava4j.model.cpu.FeatureMemory;
import io.llava4j.train.run.input.Digest;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The vision towers of a ladder's models, identified by weights and selected hidden states. Models with the same tower share
 * its image features: it sees each image of the benchmarks once, as long as they fit the memory.
 */
final class SharedTowers {
    /** For the towers seen last; features of LLaVA-1.5's tower take 2.4 MB an image, those of nano-plus 0.1 MB. */
    private static final long BYTES = 1L << 31;

    /** A ladder goes through all steps for each seed, so several towers take turns. */
    private static final int TOWERS = 4;

    private final Map<String, FeatureMemory> memories = new LinkedHashMap<>(8, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, FeatureMemory> eldest) {
            return size() > TOWERS;
        }
    };

    /** Opens a trained model; on the CPU it shares its features with those opened before. */
    LlavaPipeline open(Path directory, String device) {
        ModelLoader.Loaded loaded = ModelLoader.load(directory, device);
        LlavaPipeline model = LlavaPipeline.of(directory, loaded, LlavaPipeline.Settings.DEFAULT);
        if (loaded.model().visionTower() instanceof CpuClipTower tower) {
            tower.useMemory(memories.computeIfAbsent(identity(loaded), added -> new FeatureMemory(BYTES / TOWERS)));
        }
        return model;
    }

    private static String identity(ModelLoader.Loaded loaded) {
        LlavaConfig config = loaded.model().config();
        Digest digest = new Digest()
                .add(config.vision().toString())
                .add(config.featureStates().toString())
                .add(String.valueOf(config.keepCls()))
                .add(config.visionTokens());
        loaded.tensors().stream()
                .filter(entry -> entry.name().startsWith(CanonicalNames.TOWER))
                .sorted(Comparator.comparing(TensorEntry::name))
                .forEach(entry -> digest.add(entry.name())
                        .add(entry.dtype().name())
                        .add(Arrays.toString(entry.shape()))
                        .add(entry.data().toArray(ValueLayout.JAVA_BYTE)));
        return digest.hex();
    }
}
