package io.llava4j.model.config;

import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * The tensors of a layer, or of layers made of layers: canonical names and shapes. Each is declared once. Layers read
 * their weights by these names, and files are written, checked and converted by these shapes, so a declaration knows
 * neither the engine nor files.
 */
public interface Parameters {
    /** Adds names and shapes in the order of files. */
    void addTo(SequencedMap<String, long[]> shapes);

    /** Shapes by canonical name, in the order of files. */
    default SequencedMap<String, long[]> shapes() {
        SequencedMap<String, long[]> shapes = new LinkedHashMap<>();
        addTo(shapes);
        return shapes;
    }

    /** A tensor on its own, such as an embedding table. */
    record Single(String name, long... shape) implements Parameters {
        @Override
        public void addTo(SequencedMap<String, long[]> shapes) {
            shapes.put(name, shape);
        }
    }

    /**
     * A linear layer: {@code weight [out, in]} and, where it has one, {@code bias [out]}.
     *
     * @param prefix of its tensors, which ends with a dot
     */
    record Linear(String prefix, long out, long in, boolean hasBias) implements Parameters {
        @Override
        public void addTo(SequencedMap<String, long[]> shapes) {
            shapes.put(prefix + "weight", new long[] {out, in});
            if (hasBias) {
                shapes.put(prefix + "bias", new long[] {out});
            }
        }
    }

    /**
     * A norm over the last dimension: {@code weight [size]} and, where it has one, {@code bias [size]}.
     *
     * @param prefix of its tensors, which ends with a dot
     */
    record Norm(String prefix, long size, boolean hasBias) implements Parameters {
        @Override
        public void addTo(SequencedMap<String, long[]> shapes) {
            shapes.put(prefix + "weight", new long[] {size});
            if (hasBias) {
                shapes.put(prefix + "bias", new long[] {size});
            }
        }
    }

    /**
     * A convolution with a square kernel: {@code weight [out, in, kernel, kernel]} and, where it has one,
     * {@code bias [out]}.
     *
     * @param prefix of its tensors, which ends with a dot
     */
    record Convolution(String prefix, long out, long in, long kernel, boolean hasBias) implements Parameters {
        @Override
        public void addTo(SequencedMap<String, long[]> shapes) {
            shapes.put(prefix + "weight", new long[] {out, in, kernel, kernel});
            if (hasBias) {
                shapes.put(prefix + "bias", new long[] {out});
            }
        }
    }
}
