package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.run.input.RunInputs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/** Checks that all processes run the same recipe on the same data and model, before they train together. */
final class SameRun {
    /** Keys in which processes may differ. */
    private static final Set<String> OWN = Set.of("device", "threads");

    private SameRun() {}

    /**
     * Compares recipes; all processes call this.
     *
     * @param yaml the resolved recipe of this process
     * @throws ConfigException on every process, naming the first rank that differs from rank 0 and the keys
     */
    static void requireRecipe(ProcessGroup group, String yaml) {
        List<String> all = group.allGather(yaml);
        Map<String, String> first = ConfigFile.values(all.getFirst());
        for (int rank = 1; rank < all.size(); rank++) {
            Map<String, String> other = ConfigFile.values(all.get(rank));
            Set<String> keys = new TreeSet<>(first.keySet());
            keys.addAll(other.keySet());
            List<String> differences = new ArrayList<>();
            for (String key : keys) {
                if (!OWN.contains(key) && !Objects.equals(first.get(key), other.get(key))) {
                    differences.add("%s (%s there, %s on rank 0)"
                            .formatted(key, other.getOrDefault(key, "not set"), first.getOrDefault(key, "not set")));
                }
            }
            require(group, rank, "another recipe", differences);
        }
    }

    /**
     * Compares data, images, weights and tokenizer; all processes call this.
     *
     * @param inputs what this process reads
     * @throws ConfigException on every process, naming the first rank that differs from rank 0, and what differs
     */
    static void requireInputs(ProcessGroup group, RunInputs inputs) {
        List<RunInputs> all =
                group.allGather(inputs.toJson()).stream().map(RunInputs::ofJson).toList();
        for (int rank = 1; rank < all.size(); rank++) {
            Map<String, RunInputs.Fingerprint> first = all.getFirst().fingerprints();
            List<String> differences = new ArrayList<>();
            all.get(rank).fingerprints().forEach((what, there) -> {
                RunInputs.Fingerprint here = first.get(what);
                if (here == null) {
                    differences.add("%s (only there)".formatted(what));
                } else if (here.count() != there.count()) {
                    differences.add("%s (%d there, %d on rank 0)".formatted(what, there.count(), here.count()));
                } else if (!here.equals(there)) {
                    differences.add(what);
                }
            });
            require(group, rank, "other inputs", differences);
        }
    }

    private static void require(ProcessGroup group, int rank, String what, List<String> differences) {
        if (!differences.isEmpty()) {
            throw new ConfigException("rank %d (%s) has %s than rank 0: %s; start all processes with the same files"
                    .formatted(rank, group.processOf(rank), what, String.join(", ", differences)));
        }
    }
}
