package io.llava4j.checkpoint.torch;

import io.llava4j.LlavaException;
import io.llava4j.io.FileErrors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A stack machine for Python pickles that never runs code: it builds dictionaries, lists, tuples, strings, numbers,
 * booleans and None. A subclass interprets names, calls and persistent ids; every other operation is refused by name.
 *
 * <p>Dictionaries are {@link Map}s with string keys, lists are {@link ArrayList}s, tuples are other {@link List}s, whole
 * numbers are {@link Long}s. A hostile pickle may hold an object that contains itself: readers must look values up
 * by a fixed path and never traverse or print them.
 */
abstract class PickleMachine {
    /** Python's None; the stack holds no null. */
    enum None {
        NONE
    }

    /** Names of operations that are refused, for the message. */
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

    private final ByteBuffer code;
    private final List<Object> stack = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Integer, Object> memo = new HashMap<>();

    /** @param code the pickle */
    PickleMachine(byte[] code) {
        this.code = ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Checks the protocol version of the pickle. */
    abstract void protocol(int version);

    /** Resolves a name or throws {@link #refused}. */
    abstract Object global(String module, String name);

    /** Evaluates a call or throws {@link #refused}. */
    abstract Object call(Object function, List<?> arguments);

    /** Resolves a persistent id or throws {@link #refused}. */
    abstract Object persistent(Object id);

    /** The exception for an operation that is not allowed. */
    abstract LlavaException refused(String operation);

    /** The exception for a damaged pickle. */
    abstract LlavaException bad(String problem);

    /** Describes a value on the stack in messages. */
    String kind(@Nullable Object value) {
        return switch (value) {
            case null -> "nothing";
            case Map<?, ?> map -> "a dictionary";
            case List<?> list -> "a list";
            case String text -> "a string";
            case None none -> "None";
            default -> "a number";
        };
    }

    /** Executes an operation that only some pickles need; false if the subclass does not know it. */
    boolean more(int operation) {
        return false;
    }

    final Object run() {
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
                case 'q' -> remember(next());
                case 'r' -> remember(number(Integer.BYTES).getInt());
                case 'h' -> push(remembered(next()));
                case 'j' -> push(remembered(number(Integer.BYTES).getInt()));
                case 'c' -> push(global(line(), line()));
                case 'R' -> push(callPair(popLast(2)));
                case 'Q' -> push(persistent(pop()));
                case 's' -> setItems(popLast(2));
                case 'u' -> setItems(popToMark());
                case 'a' -> append(popLast(1));
                case 'e' -> append(popToMark());
                case 'b' -> build(pop());
                default -> {
                    if (!more(operation)) {
                        throw refused(REFUSED.getOrDefault(operation, "0x%02x".formatted(operation)));
                    }
                }
            }
        }
    }

    private Object callPair(List<Object> functionAndArguments) {
        Object function = functionAndArguments.get(0);
        if (functionAndArguments.get(1) instanceof List<?> arguments) {
            return call(function, arguments);
        }
        throw bad("it calls %s".formatted(kind(function)));
    }

    final void setItems(List<Object> items) {
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

    final void remember(int key) {
        memo.put(key, top());
    }

    final int rememberedCount() {
        return memo.size();
    }

    final Object remembered(int key) {
        Object value = memo.get(key);
        if (value == null) {
            throw bad("it refers to an object it has not made");
        }
        return value;
    }

    final void push(Object value) {
        stack.add(value);
    }

    private int floor() {
        return marks.isEmpty() ? 0 : marks.getLast();
    }

    final Object top() {
        if (stack.size() <= floor()) {
            throw bad("it takes more from its stack than there is");
        }
        return stack.getLast();
    }

    final Object pop() {
        Object value = top();
        stack.removeLast();
        return value;
    }

    final List<Object> popLast(int count) {
        if (stack.size() - floor() < count) {
            throw bad("it takes more from its stack than there is");
        }
        return take(stack.size() - count);
    }

    final List<Object> popToMark() {
        if (marks.isEmpty()) {
            throw bad("it takes more from its stack than there is");
        }
        return take(marks.removeLast());
    }

    /** An immutable list, which stands for a tuple; an ArrayList would be a Python list. */
    private List<Object> take(int from) {
        List<Object> top = stack.subList(from, stack.size());
        List<Object> values = List.copyOf(top);
        top.clear();
        return values;
    }

    final int next() {
        if (!code.hasRemaining()) {
            throw bad("its pickle ends in the middle");
        }
        return Byte.toUnsignedInt(code.get());
    }

    final ByteBuffer number(int bytes) {
        if (code.remaining() < bytes) {
            throw bad("its pickle ends in the middle");
        }
        ByteBuffer number = code.slice(code.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
        code.position(code.position() + bytes);
        return number;
    }

    final String text(int bytes) {
        if (bytes < 0 || bytes > code.remaining()) {
            throw bad("its pickle ends in the middle");
        }
        String text = new String(code.array(), code.position(), bytes, StandardCharsets.UTF_8);
        code.position(code.position() + bytes);
        return text;
    }

    final String line() {
        return new String(lineBytes(), StandardCharsets.UTF_8);
    }

    /** The bytes up to the end of the line. */
    final byte[] lineBytes() {
        int begin = code.position();
        while (next() != '\n') {
            // on to the end of the line
        }
        return Arrays.copyOfRange(code.array(), begin, code.position() - 1);
    }
}
