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
 * The {@link SourceSteps} of all sources as functions for Spark. Sent to the executors as the text of the recipe, from
 * which every task makes its own steps.
 */
final class Stages implements Serializable {
    private final String yaml;
    private transient @Nullable TaskSteps taskSteps;

    /**
     * Key of a group of items; within it, items are sorted by {@code position}.
     *
     * @param source index of the source in the recipe
     * @param key of the group in the source
     * @param position of the item in its source
     */
    record GroupKey(int source, String key, SourcePosition position) implements Comparable<GroupKey>, Serializable {
        @Override
        public int compareTo(GroupKey other) {
            int bySource = Integer.compare(source, other.source);
            int byKey = bySource == 0 ? key.compareTo(other.key) : bySource;
            return byKey == 0 ? position.compareTo(other.position) : byKey;
        }

        boolean isSameGroup(GroupKey other) {
            return source == other.source && key.equals(other.key);
        }
    }

    /** The steps of a task. */
    private static final class TaskSteps {
        private final MixtureRecipe recipe;
        private final @Nullable SentencePieceTokenizer tokenizer;
        private final Map<Integer, SourceSteps> steps = new HashMap<>();

        TaskSteps(String yaml) {
            recipe = MixtureRecipe.parse(yaml);
            tokenizer = MixtureInputs.tokenizer(recipe);
        }

        SourceSteps of(int source) {
            return steps.computeIfAbsent(
                    source, index -> new SourceSteps(recipe, recipe.included().get(index), tokenizer));
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
        if (taskSteps == null) {
            taskSteps = new TaskSteps(yaml);
        }
        return taskSteps.of(source);
    }

    /** Reads a source: its filtered items, its rejections and, at last, its end. */
    BackgroundIterator<StepResult> read(int source) {
        SourceSteps steps = steps(source);
        return new BackgroundIterator<>(out -> {
            long[] results = {0};
            try {
                SourceSteps.Reading reading = steps.read(
                        bytes -> {},
                        item -> out.accept(
                                new StepResult.Filtered(new SourcePosition(source, false, results[0]++, 0), item)),
                        rejection -> out.accept(new StepResult.Rejected(
                                new SourcePosition(source, false, results[0]++, 0), rejection)));
                out.accept(new StepResult.SourceRead(source, reading, results[0]));
            } catch (LlavaException e) {
                out.accept(new StepResult.SourceFailed(source, String.valueOf(e.getMessage())));
            }
        });
    }

    /** The group an item belongs to. */
    GroupKey key(StepResult.Filtered filtered) {
        SourcePosition position = filtered.position();
        SourceSteps steps = steps(position.source());
        String key = steps.grouping() == Grouping.ALONE ? Long.toString(position.result()) : steps.key(filtered.item());
        return new GroupKey(position.source(), key, position);
    }

    /** Builds the conversations of items that come group by group, sorted within. */
    Iterator<StepResult> build(Iterator<Tuple2<GroupKey, RawItem>> items) {
        return new Groups(items);
    }

    private final class Groups implements Iterator<StepResult> {
        private final Iterator<Tuple2<GroupKey, RawItem>> items;
        private final ArrayDeque<StepResult> ready = new ArrayDeque<>();
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
        public StepResult next() {
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
            List<StepResult> duplicates = new ArrayList<>();
            for (advance(); next != null && next._1().isSameGroup(key); advance()) {
                if (gather) {
                    annotations.addAll(next._2().annotations());
                } else {
                    duplicates.add(new StepResult.Rejected(next._1().position(), steps.duplicate(next._2())));
                }
            }
            steps.build(first._2().with(annotations), new SourceSteps.Output() {
                private int part;

                @Override
                public void add(MixtureRecord record) {
                    ready.add(new StepResult.Built(position(), record));
                }

                @Override
                public void reject(Rejection rejection) {
                    ready.add(new StepResult.Rejected(position(), rejection));
                }

                private SourcePosition position() {
                    return new SourcePosition(
                            key.source(), gather, key.position().result(), part++);
                }
            });
            ready.addAll(duplicates);
        }
    }
}
