package io.llava4j.checkpoint.torch;

import io.llava4j.CheckpointException;
import io.llava4j.io.FileErrors;
import io.llava4j.tensor.format.DType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads the pickle of a torch file: a dictionary of tensors, each described as a view of a storage. It knows only the
 * operations that this needs and only the names in {@link Global}, which are constants: no code is looked up or run.
 * Everything else is refused by name.
 */
final class TorchPickle extends PickleMachine {
    /** In bytes; the pickle of a 13B model has about a hundred thousand. */
    static final int LARGEST = 4 << 20;

    private static final int MOST_DIMENSIONS = 16;

    /**
     * A storage: the elements in one entry of the archive.
     *
     * @param dtype element type
     * @param key name of the entry
     * @param elements element count
     */
    record Storage(DType dtype, String key, long elements) {}

    /**
     * A tensor: a view of a storage, whose shape and strides are not yet checked.
     *
     * @param storage of the elements
     * @param offset of its first element, in elements
     * @param shape sizes, outermost first
     * @param strides distance between neighbours in each dimension, in elements
     */
    record View(Storage storage, long offset, long[] shape, long[] strides) {}

    /** The names that a pickle of tensors may use. */
    private enum Global {
        ORDERED_DICT("collections OrderedDict", null),
        REBUILD_TENSOR("torch._utils _rebuild_tensor_v2", null),
        REBUILD_PARAMETER("torch._utils _rebuild_parameter", null),
        DOUBLE_STORAGE("torch DoubleStorage", DType.F64),
        FLOAT_STORAGE("torch FloatStorage", DType.F32),
        HALF_STORAGE("torch HalfStorage", DType.F16),
        BFLOAT16_STORAGE("torch BFloat16Storage", DType.BF16),
        LONG_STORAGE("torch LongStorage", DType.I64),
        INT_STORAGE("torch IntStorage", DType.I32),
        SHORT_STORAGE("torch ShortStorage", DType.I16),
        CHAR_STORAGE("torch CharStorage", DType.I8),
        BYTE_STORAGE("torch ByteStorage", DType.U8),
        BOOL_STORAGE("torch BoolStorage", DType.BOOL);

        private final String name;
        private final @Nullable DType dtype;

        Global(String name, @Nullable DType dtype) {
            this.name = name;
            this.dtype = dtype;
        }

        static Optional<Global> named(String name) {
            return Arrays.stream(values())
                    .filter(global -> global.name.equals(name))
                    .findFirst();
        }
    }

    private final Path file;

    private TorchPickle(Path file, byte[] code) {
        super(code);
        this.file = file;
    }

    /**
     * Reads a dictionary of tensors.
     *
     * @param file for messages
     * @param code the pickle
     * @return tensors by name, in the file's order
     * @throws CheckpointException naming what is not allowed or unknown
     */
    static SequencedMap<String, View> tensors(Path file, byte[] code) {
        TorchPickle pickle = new TorchPickle(file, code);
        Object root = pickle.run();
        if (!(root instanceof Map<?, ?> entries)) {
            throw pickle.bad("it holds %s where a dictionary of tensors is expected".formatted(pickle.kind(root)));
        }
        SequencedMap<String, View> tensors = new LinkedHashMap<>();
        entries.forEach((name, value) -> {
            if (!(value instanceof View view)) {
                throw pickle.bad("its entry '%s' is %s, not a tensor"
                        .formatted(FileErrors.shown((String) name), pickle.kind(value)));
            }
            tensors.put((String) name, view);
        });
        return tensors;
    }

    @Override
    void protocol(int version) {
        if (version != 2) {
            throw bad("it is pickled with protocol %d where torch uses 2; save it with torch.save".formatted(version));
        }
    }

    @Override
    Object global(String module, String name) {
        return Global.named(module + " " + name)
                .orElseThrow(() -> new CheckpointException(
                        ("%s calls for '%s', which no tensor needs, so it is refused and nothing of it was run; if you"
                                        + " trust it, save only its tensors as safetensors")
                                .formatted(file, FileErrors.shown(module + "." + name))));
    }

    @Override
    Object call(Object function, List<?> arguments) {
        if (function instanceof Global global) {
            return call(global, arguments);
        }
        throw bad("it calls %s".formatted(kind(function)));
    }

    /** Result of a call to an allowed name: a description, computed here. */
    private Object call(Global function, List<?> arguments) {
        return switch (function) {
            case ORDERED_DICT -> {
                if (!arguments.isEmpty()) {
                    throw bad("it makes an OrderedDict of arguments");
                }
                yield new LinkedHashMap<String, Object>();
            }
            case REBUILD_TENSOR -> tensor(arguments);
            case REBUILD_PARAMETER -> {
                if (!arguments.isEmpty() && arguments.getFirst() instanceof View view) {
                    yield view;
                }
                throw bad("it makes a parameter of something that is not a tensor");
            }
            default -> throw bad("it calls the storage type '%s'".formatted(function.name));
        };
    }

    /** Arguments: storage, offset, sizes, strides, requires_grad, hooks and, if it is unusual, metadata. */
    private View tensor(List<?> arguments) {
        boolean usual = arguments.size() == 6
                || (arguments.size() == 7
                        && (arguments.get(6) == None.NONE || (arguments.get(6) instanceof Map<?, ?> m && m.isEmpty())));
        if (!usual
                || !(arguments.get(0) instanceof Storage storage)
                || !(arguments.get(1) instanceof Long offset)
                || !(arguments.get(5) instanceof Map<?, ?> hooks && hooks.isEmpty())) {
            throw bad("it describes a tensor in an unknown way");
        }
        long[] shape = integers(arguments.get(2));
        long[] strides = integers(arguments.get(3));
        if (shape.length != strides.length || shape.length > MOST_DIMENSIONS) {
            throw bad("it describes a tensor of %d sizes and %d strides".formatted(shape.length, strides.length));
        }
        return new View(storage, offset, shape, strides);
    }

    /** The persistent id {@code ('storage', type, key, device, elements)}; the device is ignored. */
    @Override
    Object persistent(Object id) {
        if (id instanceof List<?> parts
                && parts.size() == 5
                && parts.get(0).equals("storage")
                && parts.get(1) instanceof Global type
                && type.dtype != null
                && parts.get(2) instanceof String key
                && parts.get(4) instanceof Long elements
                && elements >= 0) {
            return new Storage(type.dtype, key, elements);
        }
        throw bad("it describes a storage in an unknown way");
    }

    private long[] integers(Object value) {
        if (!(value instanceof List<?> list)) {
            throw bad("it has %s where sizes are expected".formatted(kind(value)));
        }
        long[] values = new long[list.size()];
        for (int i = 0; i < values.length; i++) {
            if (!(list.get(i) instanceof Long number) || number < 0) {
                throw bad("a size or stride is negative or no number");
            }
            values[i] = number;
        }
        return values;
    }

    @Override
    String kind(@Nullable Object value) {
        return switch (value) {
            case View view -> "a tensor";
            case Storage storage -> "a storage";
            case Global global -> "'" + global.name + "'";
            case null -> super.kind(null);
            default -> super.kind(value);
        };
    }

    @Override
    CheckpointException refused(String operation) {
        return new CheckpointException(
                ("%s uses the pickle operation %s, which no tensor needs, so it is refused and nothing of it was run; if"
                                + " you trust it, save only its tensors as safetensors")
                        .formatted(file, operation));
    }

    @Override
    CheckpointException bad(String problem) {
        return new CheckpointException("%s is no torch file of tensors: %s".formatted(file, problem));
    }
}
