package io.llava4j.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.Initializer;
import io.llava4j.model.TinyModels;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two models with one vision tower and projectors of their own. */
class FeatureMemoryTest {
    private static final LlavaConfig CONFIG = TinyModels.config(0, List.of());
    private static final PreparedImage IMAGE = TinyModels.image(1);
    private static final PreparedImage OTHER = TinyModels.image(2);

    private CpuImageEncoder one;
    private CpuImageEncoder two;

    @BeforeEach
    void load() {
        List<CpuImageEncoder> encoders = Engine.scope("two tiny models", FeatureMemoryTest::encoders);
        one = encoders.getFirst();
        two = encoders.getLast();
    }

    private static List<CpuImageEncoder> encoders() {
        try (Weights weights = TinyModels.of(CONFIG).weights()) {
            CpuImageEncoder first = CpuImageEncoder.load(CONFIG, CpuModels.stored(weights, BlockFormat.F32));
            Initializer initializer = new Initializer(8);
            weights.names().stream()
                    .filter(name -> name.startsWith(CanonicalNames.PROJECTOR))
                    .toList()
                    .forEach(name -> initializer.fill(weights, name, Tensors.shape(weights.get(name))));
            return List.of(first, CpuImageEncoder.load(CONFIG, CpuModels.stored(weights, BlockFormat.F32)));
        }
    }

    @AfterEach
    void close() {
        one.close();
        two.close();
    }

    private record Encoded(float[] tokens, int pauses) {}

    private static Encoded encode(CpuImageEncoder encoder, PreparedImage image) {
        ImageEncoding encoding = new ImageEncoding(encoder, image);
        int pauses = 0;
        float[] tokens = encoding.advance(0);
        for (; tokens == null; pauses++) {
            tokens = encoding.advance(0);
        }
        return new Encoded(tokens, pauses);
    }

    @Test
    void theSecondModelTakesTheFeaturesOfTheFirst() {
        Encoded alone = encode(two, IMAGE);
        Encoded other = encode(two, OTHER);
        FeatureMemory memory = new FeatureMemory(1 << 20);
        one.tower().useMemory(memory);
        two.tower().useMemory(memory);

        Encoded first = encode(one, IMAGE);
        assertThat(first.pauses()).isEqualTo(alone.pauses()).isPositive();
        Encoded second = encode(two, IMAGE);
        assertThat(second.pauses()).isZero();
        assertThat(second.tokens()).containsExactly(alone.tokens());
        assertThat(second.tokens()).isNotEqualTo(first.tokens());
        Encoded unknown = encode(two, OTHER);
        assertThat(unknown.pauses()).isEqualTo(other.pauses());
        assertThat(unknown.tokens()).containsExactly(other.tokens());
    }

    @Test
    void aFullMemoryKeepsWhatItHas() {
        long bytesOfAnImage = (long) CONFIG.featuresPerView() * CONFIG.featureWidth() * Float.BYTES;
        two.tower().useMemory(new FeatureMemory(bytesOfAnImage));
        encode(two, IMAGE);
        encode(two, OTHER);
        assertThat(encode(two, IMAGE).pauses()).isZero();
        assertThat(encode(two, OTHER).pauses()).isPositive();
    }
}
