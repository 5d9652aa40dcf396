package io.llava4j.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The network in 32-bit floats agrees with {@link ScalarLlava}, whose numbers are committed. */
class ParityTest {
    private static final double STORED = 1e-8;
    private static final double NETWORK = 2e-5;

    private static Map<String, double[]> stored;
    private static LlavaModel model;

    @BeforeAll
    static void build() throws IOException {
        stored = ParityFixture.stored();
        model = Engine.scope("the parity model", () -> {
            Weights weights = new Weights();
            ParityFixture.shapes()
                    .forEach((name, shape) -> weights.put(name, Tensors.of(ParityFixture.weight(name, shape), shape)));
            return new LlavaModel(ParityFixture.CONFIG, weights);
        });
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void storedNumbersAreThoseOfTheReference() {
        Map<String, double[]> expected = ParityFixture.expected();
        assertThat(stored.keySet()).isEqualTo(expected.keySet());
        stored.forEach(
                (name, values) -> assertThat(expected.get(name)).as(name).containsExactly(values, within(STORED)));
    }

    @Test
    void imageFeaturesAgree() {
        Engine.inference("features", () -> {
            Tensor features = model.visionFeatures(model.pixels(ParityFixture.prepared()));
            for (int i = 0; i < 3; i++) {
                agree("image features " + i, Tensors.toFloats(features.select(0, i)));
            }
            return null;
        });
    }

    @Test
    void imageTokensAgree() {
        Engine.inference("image tokens", () -> {
            Tensor tokens = model.projector().forward(model.visionFeatures(model.pixels(ParityFixture.prepared())));
            for (int i = 0; i < 3; i++) {
                agree("image tokens " + i, Tensors.toFloats(tokens.select(0, i)));
            }
            return null;
        });
    }

    /** One padded batch of sequences with one, two and no image. */
    @Test
    void logitsAgree() {
        Engine.inference("logits", () -> {
            LlavaModel.Output output =
                    model.forward(ModelInput.of(ParityFixture.SEQUENCES, null, ParityFixture.prepared()));
            Tensor logits = model.languageModel().logits(output.hidden());
            for (int i = 0; i < ParityFixture.SEQUENCES.size(); i++) {
                int length = output.sequences().lengths()[i];
                agree("logits " + i, Tensors.toFloats(logits.select(0, i).narrow(0, 0, length)));
            }
            return null;
        });
    }

    private static void agree(String name, float[] actual) {
        double[] wide = new double[actual.length];
        Arrays.setAll(wide, i -> actual[i]);
        assertThat(wide).as(name).containsExactly(stored.getOrDefault(name, new double[0]), within(NETWORK));
    }
}
