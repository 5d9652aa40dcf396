package io.llava4j.checkpoint;

import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The names a pickle of tensors may call for. */
enum TorchGlobal {
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

    final String name;
    final @Nullable DType dtype;

    TorchGlobal(String name, @Nullable DType dtype) {
        this.name = name;
        this.dtype = dtype;
    }

    /** The one of that module and name. */
    static Optional<TorchGlobal> named(String name) {
        return Arrays.stream(values())
                .filter(global -> global.name.equals(name))
                .findFirst();
    }
}
