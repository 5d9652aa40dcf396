package io.llava4j.spark;

import io.llava4j.LlavaException;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.data.mixture.MixtureInputs;
import io.llava4j.train.data.mixture.MixtureRecipe;
import io.llava4j.train.data.mixture.MixtureRecord;
import io.llava4j.train.data.mixture.Rejection;
import io.llava4j.train.data.mixture.SourceSteps;
import io.llava4j.train.data.mixture.SourceSteps.Grouping;
import io.llava4j.train.data.raw.Annotation;
import io.llava4j.train.data.raw.RawItem;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import scala.Tuple2;

/**
 * The {@link SourceSteps} of all sources as functions of Spark's. Goes to the executors as the recipe's text; every task
 * makes its own steps of it.
 */
final class Stages implements Serializable {
    private final String yaml;
    private transient @Nullable Executing executing;

    /**
     * What belongs together; sorted by {@code place} within.
     *
     * @param source place of the source in the recipe
     * @param key of the group in the source
     * @param place of the item
     */
    record GroupKey(int source, String key, Place place) implements Comparable<GroupKey>, Serializable {
        @Override
        public int compareTo(GroupKey other) {
            int bySource = Integer.compare(source, other.source);
            int byKey = bySource == 0 ? key.compareTo(other.key) : bySource;
            return byKey == 0 ? place.compareTo(other.place) : byKey;
        }

        boolean isWith(GroupKey other) {
            return source == other.source && key.equals(other.key);
        }
    }

    /** What a task has of its own. */
    private static final class Executing {
        private final MixtureRecipe recipe;
        private final @Nullable SentencePieceTokenizer tokenizer;
        private final Map<Integer, SourceSteps> steps = new HashMap<>();

        Executing(String yaml) {
            recipe = MixtureRecipe.parse(yaml);
            tokenizer = MixtureInputs.tokenizer(recipe);
        }

        SourceSteps of(int source) {
            return steps.computeIfAbsent(
                    source, place -> new SourceSteps(recipe, recipe.included().get(place), tokenizer));
        }
    }

    Stages(MixtureRecipe recipe) {
        // Executors have other working directories.
        this.yaml = new MixtureRecipe(
                        recipe.name(),
                        recipe.seed(),
                        recipe.shuffle(),
                        recipe.badRecords(),
                        recipe.raw().toAbsolutePath(),
                        absolute(recipe.images()),
                        absolute(recipe.tokenizer()),
                        recipe.rules(),
                        recipe.sources())
                .toYaml();
    }

    private static @Nullable Path absolute(@Nullable Path path) {
        return path == null ? null : path.toAbsolutePath();
    }

    SourceSteps steps(int source) {
        if (executing == null) {
            executing = new Executing(yaml);
        }
        return executing.of(source);
    }

    /** Reads a source: its settled items, what was left out, and a last word. */
    Pushed<Event> read(int source) {
        SourceSteps steps = steps(source);
        return new Pushed<>(out -> {
            long[] events = {0};
            try {
                SourceSteps.Reading reading = steps.read(
                        bytes -> {},
                        item -> out.accept(new Event.Settled(new Place(source, false, events[0]++, 0), item)),
                        left -> out.accept(new Event.Skipped(new Place(source, false, events[0]++, 0), left)));
                out.accept(new Event.Read(source, reading, events[0]));
            } catch (LlavaException e) {
                out.accept(new Event.Failed(source, String.valueOf(e.getMessage())));
            }
        });
    }

    /** The group an item belongs to. */
    GroupKey key(Event.Settled settled) {
        Place place = settled.place();
        SourceSteps steps = steps(place.source());
        String key = steps.grouping() == Grouping.ALONE ? Long.toString(place.event()) : steps.key(settled.item());
        return new GroupKey(place.source(), key, place);
    }

    /** Builds the conversations of items that come group by group, sorted within. */
    Iterator<Event> build(Iterator<Tuple2<GroupKey, RawItem>> items) {
        return new Groups(items);
    }

    private final class Groups implements Iterator<Event> {
        private final Iterator<Tuple2<GroupKey, RawItem>> items;
        private final ArrayDeque<Event> ready = new ArrayDeque<>();
        private @Nullable Tuple2<GroupKey, RawItem> next;

        Groups(Iterator<Tuple2<GroupKey, RawItem>> items) {
            this.items = items;
            advance();
        }

        private void advance() {
            next = items.hasNext() ? items.next() : null;
        }

        @Override
        public boolean hasNext() {
            while (ready.isEmpty() && next != null) {
                group(next);
            }
            return !ready.isEmpty();
        }

        @Override
        public Event next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            return Objects.requireNonNull(ready.poll());
        }

        private void group(Tuple2<GroupKey, RawItem> first) {
            GroupKey key = first._1();
            SourceSteps steps = steps(key.source());
            boolean gather = steps.grouping() == Grouping.GATHER;
            List<Annotation> annotations = new ArrayList<>(first._2().annotations());
            List<Event> duplicates = new ArrayList<>();
            for (advance(); next != null && next._1().isWith(key); advance()) {
                if (gather) {
                    annotations.addAll(next._2().annotations());
                } else {
                    duplicates.add(new Event.Skipped(next._1().place(), steps.duplicate(next._2())));
                }
            }
            steps.build(first._2().with(annotations), new SourceSteps.Output() {
                private int part;

                @Override
                public void add(MixtureRecord record) {
                    ready.add(new Event.Built(place(), record));
                }

                @Override
                public void leave(Rejection left) {
                    ready.add(new Event.Skipped(place(), left));
                }

                private Place place() {
                    return new Place(key.source(), gather, key.place().event(), part++);
                }
            });
            ready.addAll(duplicates);
        }
    }
}
