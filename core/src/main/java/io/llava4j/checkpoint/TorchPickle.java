package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads the pickle of a torch file: a dictionary of tensors, described by the storages they are views of. Only the
 * operations that this needs are known, and the only names it may call for are those of {@link Global}, which stand for
 * nothing but themselves: no code is looked up or run. Everything else is refused by its name.
 */
final class TorchPickle {
    /** In bytes; the pickle of a 13B model has a hundred thousand. */
    static final int LARGEST = 4 << 20;

    private static final int MOST_DIMENSIONS = 16;

    /**
     * Numbers kept as one entry of the archive.
     *
     * @param dtype their type
     * @param key names the entry
     * @param elements how many
     */
    record Storage(DType dtype, String key, long elements) {}

    /**
     * A tensor: a view of a storage. Shape and strides are not checked against it yet.
     *
     * @param storage what it is a view of
     * @param offset of its first element, in elements
     * @param shape sizes, outermost first
     * @param strides distance of neighbours in each dimension, in elements
     */
    record View(Storage storage, long offset, long[] shape, long[] strides) {}

    /** The names a pickle of tensors may call for. */
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

    /** Python's None; an enum because null has no place on the stack. */
    private enum None {
        NONE
    }

    /** Names of operations that are refused, for the message; a known one tells what the file wanted. */
    private static final Map<Integer, String> REFUSED = Map.ofEntries(
            Map.entry((int) 'i', "INST"),
            Map.entry((int) 'o', "OBJ"),
            Map.entry((int) 'P', "PERSID"),
            Map.entry(0x81, "NEWOBJ"),
            Map.entry(0x92, "NEWOBJ_EX"),
            Map.entry(0x82, "EXT1"),
            Map.entry(0x83, "EXT2"),
            Map.entry(0x84, "EXT4"),
            Map.entry(0x93, "STACK_GLOBAL"),
            Map.entry(0x95, "FRAME"),
            Map.entry(0x94, "MEMOIZE"),
            Map.entry(0x97, "NEXT_BUFFER"));

    private final Path file;
    private final ByteBuffer code;
    private final List<Object> stack = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Integer, Object> memo = new HashMap<>();

    private TorchPickle(Path file, byte[] code) {
        this.file = file;
        this.code = ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Reads a dictionary of tensors.
     *
     * @param file for messages
     * @param code the pickle
     * @return tensors by name, in the file's order
     * @throws CheckpointException naming what is not allowed or not understood
     */
    static SequencedMap<String, View> tensors(Path file, byte[] code) {
        TorchPickle pickle = new TorchPickle(file, code);
        Object root = pickle.run();
        if (!(root instanceof Map<?, ?> entries)) {
            throw pickle.bad("it holds %s where a dictionary of tensors is expected".formatted(kind(root)));
        }
        SequencedMap<String, View> tensors = new LinkedHashMap<>();
        entries.forEach((name, value) -> {
            if (!(value instanceof View view)) {
                throw pickle.bad("its entry '%s' is %s, not a tensor"
                        .formatted(FileErrors.shown(String.valueOf(name)), kind(value)));
            }
            tensors.put((String) name, view);
        });
        return tensors;
    }

    private Object run() {
        while (true) {
            int operation = next();
            switch (operation) {
                case 0x80 -> protocol(next());
                case '.' -> {
                    return pop();
                }
                case '(' -> marks.add(stack.size());
                case '}' -> push(new LinkedHashMap<String, Object>());
                case ']' -> push(new ArrayList<>());
                case ')' -> push(List.of());
                case 't' -> push(popToMark());
                case 0x85 -> push(popLast(1));
                case 0x86 -> push(popLast(2));
                case 0x87 -> push(popLast(3));
                case 'N' -> push(None.NONE);
                case 0x88 -> push(true);
                case 0x89 -> push(false);
                case 'K' -> push((long) next());
                case 'M' -> push((long) (next() | next() << 8));
                case 'J' -> push((long) number(Integer.BYTES).getInt());
                case 0x8a -> push(longInteger(next()));
                case 'G' ->
                    push(number(Double.BYTES).order(ByteOrder.BIG_ENDIAN).getDouble());
                case 'X' -> push(text(number(Integer.BYTES).getInt()));
                case 'q' -> memo.put(next(), top());
                case 'r' -> memo.put(number(Integer.BYTES).getInt(), top());
                case 'h' -> push(remembered(next()));
                case 'j' -> push(remembered(number(Integer.BYTES).getInt()));
                case 'c' -> push(global(line(), line()));
                case 'R' -> push(call(popLast(2)));
                case 'Q' -> push(storage(pop()));
                case 's' -> setItems(popLast(2));
                case 'u' -> setItems(popToMark());
                case 'a' -> append(popLast(1));
                case 'e' -> append(popToMark());
                case 'b' -> build(pop());
                default -> throw refused(operation);
            }
        }
    }

    private void protocol(int version) {
        if (version != 2) {
            throw bad("it is pickled with protocol %d where torch uses 2; save it with torch.save".formatted(version));
        }
    }

    private Object global(String module, String name) {
        return Global.named(module + " " + name)
                .orElseThrow(() -> new CheckpointException(
                        ("%s calls for '%s', which no tensor needs, so it is refused and nothing of it was run; if you"
                                        + " trust it, save only its tensors as safetensors")
                                .formatted(file, FileErrors.shown(module + "." + name))));
    }

    private Object call(List<Object> functionAndArguments) {
        if (functionAndArguments.get(0) instanceof Global function
                && functionAndArguments.get(1) instanceof List<?> arguments) {
            return call(function, arguments);
        }
        throw bad("it calls %s".formatted(kind(functionAndArguments.get(0))));
    }

    /** What a call to one of the allowed names gives: a description, computed here. */
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
                throw bad("it makes a parameter of something that is no tensor");
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

    /** The persistent id {@code ('storage', type, key, device, elements)}; where it lived does not matter. */
    private Storage storage(Object id) {
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

    private void setItems(List<Object> items) {
        if (!(top() instanceof LinkedHashMap<?, ?>) || items.size() % 2 != 0) {
            throw bad("it adds entries to %s".formatted(kind(top())));
        }
        @SuppressWarnings("unchecked") // every map on the stack is made here
        Map<String, Object> map = (Map<String, Object>) top();
        for (int i = 0; i < items.size(); i += 2) {
            if (!(items.get(i) instanceof String key)) {
                throw bad("a dictionary has %s as a key".formatted(kind(items.get(i))));
            }
            if (map.put(key, items.get(i + 1)) != null) {
                throw bad("'%s' is there twice".formatted(FileErrors.shown(key)));
            }
        }
    }

    private void append(List<Object> items) {
        if (!(top() instanceof ArrayList<?>)) {
            throw bad("it appends to %s".formatted(kind(top())));
        }
        @SuppressWarnings("unchecked") // every list on the stack is made here
        List<Object> list = (List<Object>) top();
        list.addAll(items);
    }

    /** Attributes of a dictionary, such as {@code _metadata} of a module's state, mean nothing to tensors. */
    private void build(Object state) {
        if (!(top() instanceof Map<?, ?>) || !(state instanceof Map<?, ?>)) {
            throw bad("it sets attributes of %s (BUILD)".formatted(kind(top())));
        }
    }

    private long longInteger(int bytes) {
        if (bytes > Long.BYTES) {
            throw bad("it holds a number of %d bytes".formatted(bytes));
        }
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (long) next() << (8 * i);
        }
        int unused = Long.SIZE - 8 * bytes;
        return bytes == 0 ? 0 : value << unused >> unused;
    }

    private Object remembered(int place) {
        Object value = memo.get(place);
        if (value == null) {
            throw bad("it refers to an object it has not made");
        }
        return value;
    }

    private void push(Object value) {
        stack.add(value);
    }

    private int floor() {
        return marks.isEmpty() ? 0 : marks.getLast();
    }

    private Object top() {
        if (stack.size() <= floor()) {
            throw bad("it takes more from its stack than there is");
        }
        return stack.getLast();
    }

    private Object pop() {
        Object value = top();
        stack.removeLast();
        return value;
    }

    private List<Object> popLast(int count) {
        if (stack.size() - floor() < count) {
            throw bad("it takes more from its stack than there is");
        }
        return take(stack.size() - count);
    }

    private List<Object> popToMark() {
        if (marks.isEmpty()) {
            throw bad("it takes more from its stack than there is");
        }
        return take(marks.removeLast());
    }

    /** Not an ArrayList, which would be a Python list, but a tuple. */
    private List<Object> take(int from) {
        List<Object> top = stack.subList(from, stack.size());
        List<Object> values = List.copyOf(top);
        top.clear();
        return values;
    }

    private int next() {
        if (!code.hasRemaining()) {
            throw bad("its pickle ends in the middle");
        }
        return Byte.toUnsignedInt(code.get());
    }

    private ByteBuffer number(int bytes) {
        if (code.remaining() < bytes) {
            throw bad("its pickle ends in the middle");
        }
        ByteBuffer number = code.slice(code.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
        code.position(code.position() + bytes);
        return number;
    }

    private String text(int bytes) {
        if (bytes < 0 || bytes > code.remaining()) {
            throw bad("its pickle ends in the middle");
        }
        String text = new String(code.array(), code.position(), bytes, StandardCharsets.UTF_8);
        code.position(code.position() + bytes);
        return text;
    }

    private String line() {
        int begin = code.position();
        while (next() != '\n') {
            // on to the end of the line
        }
        return new String(code.array(), begin, code.position() - 1 - begin, StandardCharsets.UTF_8);
    }

    private static String kind(@Nullable Object value) {
        return switch (value) {
            case null -> "nothing";
            case View view -> "a tensor";
            case Storage storage -> "a storage";
            case Global global -> "'" + global.name + "'";
            case Map<?, ?> map -> "a dictionary";
            case List<?> list -> "a list";
            case String text -> "a string";
            case None none -> "None";
            default -> "a number";
        };
    }

    private CheckpointException refused(int operation) {
        String name = REFUSED.getOrDefault(operation, "0x%02x".formatted(operation));
        return new CheckpointException(
                ("%s uses the pickle operation %s, which no tensor needs, so it is refused and nothing of it was run; if"
                                + " you trust it, save only its tensors as safetensors")
                        .formatted(file, name));
    }

    private CheckpointException bad(String problem) {
        return new CheckpointException("%s is no torch file of tensors: %s".formatted(file, problem));
    }
}
