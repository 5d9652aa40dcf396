package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a pickle has made and not used yet, with marks between, and what it has put aside to use again. */
final class PickleStack {
    private final Path file;
    private final List<Object> values = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Integer, Object> memo = new HashMap<>();

    /** @param file for messages */
    PickleStack(Path file) {
        this.file = file;
    }

    void push(Object value) {
        values.add(value);
    }

    /** What is pushed from here on is taken together by {@link #popToMark}. */
    void mark() {
        marks.add(values.size());
    }

    /** Keeps the top under a number, where it stays. */
    void remember(int place) {
        memo.put(place, top());
    }

    /** What was kept under a number. */
    Object remembered(int place) {
        Object value = memo.get(place);
        if (value == null) {
            throw TorchPickle.bad(file, "it refers to an object it has not made");
        }
        return value;
    }

    Object top() {
        require(1);
        return values.getLast();
    }

    Object pop() {
        require(1);
        return values.removeLast();
    }

    /** The last ones, in the order they were pushed. */
    List<Object> popLast(int count) {
        require(count);
        return take(values.size() - count);
    }

    /** All since the last mark, in the order they were pushed. */
    List<Object> popToMark() {
        if (marks.isEmpty()) {
            throw tooFew();
        }
        return take(marks.removeLast());
    }

    /** Not an ArrayList, which stands for a Python list, but a tuple. */
    private List<Object> take(int from) {
        List<Object> top = values.subList(from, values.size());
        List<Object> taken = List.copyOf(top);
        top.clear();
        return taken;
    }

    private void require(int count) {
        int floor = marks.isEmpty() ? 0 : marks.getLast();
        if (values.size() - floor < count) {
            throw tooFew();
        }
    }

    private CheckpointException tooFew() {
        return TorchPickle.bad(file, "it takes more from its stack than there is");
    }
}
