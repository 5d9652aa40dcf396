package io.llava4j.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Learns BPE merges. A candidate is the <em>text</em> that two neighbours would give, whichever two they are. After each
 * new piece, the units that contain it are merged by the tokenizer's own rule, so that every unit is always as the
 * tokenizer would encode it with the pieces learnt so far.
 */
final class MergeLearner {
    private final Map<String, Symbol> symbols = new HashMap<>();
    private final List<Symbol> byId = new ArrayList<>();
    private final Map<Long, Symbol> pairs = new HashMap<>();
    private final PriorityQueue<Offer> queue = new PriorityQueue<>();

    /** A text that is a character, a piece, or a candidate for one. */
    private static final class Symbol {
        final int id;
        final String text;
        /** Order in which the piece was learnt; no piece yet if negative. */
        int rank = -1;
        /** How often two neighbours would give this text. */
        long count;

        final Set<Unit> units = new LinkedHashSet<>();

        Symbol(int id, String text) {
            this.id = id;
            this.text = text;
        }
    }

    private static final class Unit {
        final long count;
        int[] symbols;

        Unit(long count, int[] symbols) {
            this.count = count;
            this.symbols = symbols;
        }
    }

    /** A candidate with the count it had when it was queued; ties go to the shorter, then the smaller text. */
    private record Offer(Symbol symbol, long count) implements Comparable<Offer> {
        @Override
        public int compareTo(Offer other) {
            int order = Long.compare(other.count, count);
            if (order == 0) {
                order = Integer.compare(symbol.text.length(), other.symbol.text.length());
            }
            return order != 0 ? order : symbol.text.compareTo(other.symbol.text);
        }
    }

    MergeLearner(TrainingUnits source) {
        for (Map.Entry<String, Long> entry : source.entries()) {
            int[] ids = entry.getKey()
                    .codePoints()
                    .mapToObj(Character::toString)
                    .mapToInt(character -> symbol(character).id)
                    .toArray();
            Unit unit = new Unit(entry.getValue(), ids);
            countPairs(unit, unit.count);
        }
        for (Symbol symbol : byId) {
            offer(symbol);
        }
    }

    /** The next {@code limit} pieces, or fewer if every unit has become one piece. */
    List<String> learn(int limit) {
        List<String> learnt = new ArrayList<>();
        while (learnt.size() < limit) {
            Symbol best = nextBest();
            if (best == null) {
                break;
            }
            best.rank = learnt.size();
            learnt.add(best.text);
            Set<Symbol> changed = new LinkedHashSet<>();
            for (Unit unit : List.copyOf(best.units)) {
                countPairs(unit, -unit.count);
                merge(unit);
                changed.addAll(countPairs(unit, unit.count));
            }
            changed.forEach(this::offer);
        }
        return learnt;
    }

    private @Nullable Symbol nextBest() {
        for (Offer offer = queue.poll(); offer != null; offer = queue.poll()) {
            Symbol symbol = offer.symbol;
            if (symbol.rank >= 0 || symbol.count == 0) {
                continue;
            }
            if (symbol.count == offer.count) {
                return symbol;
            }
            // Counts decrease without a new offer; an offer with an old count is queued again with the current one.
            if (symbol.count < offer.count) {
                queue.add(new Offer(symbol, symbol.count));
            }
        }
        return null;
    }

    private void offer(Symbol symbol) {
        if (symbol.rank < 0 && symbol.count > 0) {
            queue.add(new Offer(symbol, symbol.count));
        }
    }

    private Symbol symbol(String text) {
        return symbols.computeIfAbsent(text, key -> {
            Symbol symbol = new Symbol(byId.size(), key);
            byId.add(symbol);
            return symbol;
        });
    }

    private Symbol pair(int left, int right) {
        return pairs.computeIfAbsent(
                (long) left << 32 | right, key -> symbol(byId.get(left).text + byId.get(right).text));
    }

    private List<Symbol> countPairs(Unit unit, long change) {
        List<Symbol> touched = new ArrayList<>(unit.symbols.length);
        for (int i = 0; i + 1 < unit.symbols.length; i++) {
            Symbol symbol = pair(unit.symbols[i], unit.symbols[i + 1]);
            symbol.count += change;
            if (change > 0) {
                symbol.units.add(unit);
            } else {
                symbol.units.remove(unit);
            }
            touched.add(symbol);
        }
        return touched;
    }

    /** Merges the neighbours of lowest rank, the leftmost first, until none make a piece. */
    private void merge(Unit unit) {
        int[] ids = unit.symbols;
        int length = ids.length;
        while (true) {
            int at = -1;
            Symbol best = null;
            for (int i = 0; i + 1 < length; i++) {
                Symbol symbol = pair(ids[i], ids[i + 1]);
                if (symbol.rank >= 0 && (best == null || symbol.rank < best.rank)) {
                    best = symbol;
                    at = i;
                }
            }
            if (best == null) {
                unit.symbols = Arrays.copyOf(ids, length);
                return;
            }
            ids[at] = best.id;
            System.arraycopy(ids, at + 2, ids, at + 1, length - at - 2);
            length--;
        }
    }
}
