package io.llava4j.train.run;

import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.train.data.SkippedRecord;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the processes computed in a step, brought together, so that all of them see the step as one process would.
 *
 * @param parts micro-batches with samples, in the order in which one process would compute them
 * @param skippedElsewhere records that other processes left out since the step before
 */
record StepResults(List<MicroBatches.Result> parts, List<SkippedRecord> skippedElsewhere) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** What one process has to tell. */
    private record OfRank(List<MicroBatches.Result> parts, List<SkippedRecord> skipped) {}

    /**
     * Exchanges results.
     *
     * @param own micro-batches of this process
     * @param skipped records that this process left out since the step before
     */
    static StepResults gather(ProcessGroup group, List<MicroBatches.Result> own, List<SkippedRecord> skipped) {
        if (group.size() == 1) {
            return new StepResults(own, List.of());
        }
        List<OfRank> all = group.allGather(JSON.writeValueAsString(new OfRank(own, skipped))).stream()
                .map(text -> JSON.readValue(text, OfRank.class))
                .toList();
        List<MicroBatches.Result> parts = new ArrayList<>();
        int most = all.stream().mapToInt(each -> each.parts().size()).max().orElse(0);
        for (int micro = 0; micro < most; micro++) {
            for (OfRank each : all) {
                if (micro < each.parts().size()) {
                    parts.add(each.parts().get(micro));
                }
            }
        }
        List<SkippedRecord> elsewhere = new ArrayList<>();
        for (int rank = 0; rank < all.size(); rank++) {
            if (rank != group.rank().rank()) {
                elsewhere.addAll(all.get(rank).skipped());
            }
        }
        return new StepResults(parts, elsewhere);
    }
}
