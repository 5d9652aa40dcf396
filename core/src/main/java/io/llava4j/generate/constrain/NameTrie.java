package io.llava4j.generate.constrain;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Given texts as a prefix tree of characters (code points). Texts are numbered so that those below a node are a range. */
final class NameTrie {
    /** A beginning of some of the texts. */
    static final class Node {
        private final NavigableMap<Integer, Node> children = new TreeMap<>();
        private final int first;
        private int end;
        private int name = -1;

        private Node(int first) {
            this.first = first;
        }

        /** Number of the text that ends here; -1 if none does. */
        int name() {
            return name;
        }

        /** Number of the first text that begins so. */
        int first() {
            return first;
        }

        /** Number after the last text that begins so. */
        int end() {
            return end;
        }

        /** The node after a further character; null if no text goes on so. */
        @Nullable
        Node child(int codePoint) {
            return children.get(codePoint);
        }

        /** The nodes after a character between two. */
        Collection<Node> children(int from, int to) {
            return children.subMap(from, true, to, true).values();
        }
    }

    private final Node root = new Node(0);
    private final List<String> names;

    NameTrie(Collection<String> texts) {
        names = texts.stream()
                .distinct()
                .sorted(Comparator.comparing(text -> text.codePoints().toArray(), Arrays::compare))
                .toList();
        for (int i = 0; i < names.size(); i++) {
            Node node = root;
            node.end = i + 1;
            for (int codePoint : names.get(i).codePoints().toArray()) {
                int first = i;
                node = node.children.computeIfAbsent(codePoint, c -> new Node(first));
                node.end = i + 1;
            }
            node.name = i;
        }
    }

    Node root() {
        return root;
    }

    /** The texts by number. */
    List<String> names() {
        return names;
    }
}
