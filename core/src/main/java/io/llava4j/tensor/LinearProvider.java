package io.llava4j.tensor;

import io.llava4j.ConfigException;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Builds linear operators. The implementation is chosen once per process: libtorch, unless the system property
 * {@value #PROPERTY} says {@code reference}, which helps to find out whether a wrong answer comes from a fast kernel.
 */
public enum LinearProvider {
    /** libtorch's matrix products; a weight narrower than 32 bits is upcast tile by tile. */
    LIBTORCH {
        @Override
        public LinearOperator create(Tensor weight, @Nullable Tensor bias) {
            return weight.element_size() < Float.BYTES ? new UpcastLinear(weight, bias) : new DenseLinear(weight, bias);
        }
    },

    /** Plain Java with double accumulation; slow and without gradients. */
    REFERENCE {
        @Override
        public LinearOperator create(Tensor weight, @Nullable Tensor bias) {
            return new ReferenceLinear(weight, bias);
        }
    };

    /** System property that names the implementation: {@code libtorch} or {@code reference}. */
    public static final String PROPERTY = "llava4j.linear";

    private static final Logger LOG = LoggerFactory.getLogger(LinearProvider.class);

    /** Initialised at its first use, so that the choice is made and logged once. */
    private static final class Chosen {
        static final LinearProvider PROVIDER = choose(System.getProperty(PROPERTY));
    }

    /** The implementation of this process. */
    public static LinearProvider instance() {
        return Chosen.PROVIDER;
    }

    static LinearProvider choose(@Nullable String name) {
        if (name == null || name.equals("libtorch")) {
            return LIBTORCH;
        }
        if (name.equals("reference")) {
            LOG.warn("linear layers run on the scalar reference, because -D{} asks for it; this is slow", PROPERTY);
            return REFERENCE;
        }
        throw new ConfigException("-D%s=%s is unknown; use libtorch or reference".formatted(PROPERTY, name));
    }

    /**
     * An operator over a stored weight.
     *
     * @param weight {@code [out, in]}, 32-bit or 16-bit floats; must stay alive as long as the operator is used
     * @param bias {@code [out]} 32-bit floats, or null
     */
    public abstract LinearOperator create(Tensor weight, @Nullable Tensor bias);
}
