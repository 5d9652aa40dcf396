package io.llava4j.model;

import io.llava4j.model.config.ClipParameters;
import io.llava4j.tensor.Convolution;
import io.llava4j.tensor.LinearOperator;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The nano tower's patch embedding: residual stages, each of which halves the resolution, then a 1x1 projection to the
 * patch grid. A small tower trains with it in minutes where a plain patch convolution needs hours; everything after it
 * is CLIP.
 *
 * <p>A stage is a 3x3 convolution with stride 2, then {@code x + conv(relu(norm(conv(relu(norm(x))))))}.
 */
final class ConvolutionalStem implements ClipVisionTower.PatchEmbedding {
    private final List<Stage> stages = new ArrayList<>();
    private final LinearOperator projection;

    ConvolutionalStem(ClipParameters.Stem names, Weights weights) {
        for (ClipParameters.Stage stage : names.stages()) {
            stages.add(new Stage(stage, weights));
        }
        this.projection = weights.linear(names.projection().prefix());
    }

    @Override
    public Tensor forward(Tensor pixels) {
        Tensor x = pixels;
        for (Stage stage : stages) {
            x = stage.forward(x);
        }
        return projection.apply(x.relu().flatten(2, 3).transpose(1, 2));
    }

    private static final class Stage {
        private final Tensor downWeight;
        private final Tensor downBias;
        private final Tensor norm1Weight;
        private final Tensor norm1Bias;
        private final Tensor conv1Weight;
        private final Tensor conv1Bias;
        private final Tensor norm2Weight;
        private final Tensor norm2Bias;
        private final Tensor conv2Weight;
        private final Tensor conv2Bias;

        Stage(ClipParameters.Stage names, Weights weights) {
            this.downWeight = weights.get(names.down().prefix() + "weight");
            this.downBias = weights.get(names.down().prefix() + "bias");
            this.norm1Weight = weights.get(names.norm1().prefix() + "weight");
            this.norm1Bias = weights.get(names.norm1().prefix() + "bias");
            this.conv1Weight = weights.get(names.conv1().prefix() + "weight");
            this.conv1Bias = weights.get(names.conv1().prefix() + "bias");
            this.norm2Weight = weights.get(names.norm2().prefix() + "weight");
            this.norm2Bias = weights.get(names.norm2().prefix() + "bias");
            this.conv2Weight = weights.get(names.conv2().prefix() + "weight");
            this.conv2Bias = weights.get(names.conv2().prefix() + "bias");
        }

        Tensor forward(Tensor input) {
            Tensor x = Convolution.apply(input, downWeight, downBias, 2, 1);
            Tensor h = Convolution.apply(norm(x, norm1Weight, norm1Bias).relu(), conv1Weight, conv1Bias, 1, 1);
            return x.add(Convolution.apply(norm(h, norm2Weight, norm2Bias).relu(), conv2Weight, conv2Bias, 1, 1));
        }

        private static Tensor norm(Tensor x, Tensor weight, Tensor bias) {
            return torch.group_norm(
                    x,
                    x.size(1) / ClipParameters.Stem.GROUP_CHANNELS,
                    Tensors.optional(weight),
                    Tensors.optional(bias),
                    ClipParameters.Stem.EPSILON,
                    true);
        }
    }
}
