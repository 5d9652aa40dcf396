package io.llava4j.train.data.check;

import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.SamplePrompts;
import java.io.BufferedOutputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * A data set without the problems that were found: records with a finding are left out; records that are only too long lose
 * their last questions until they fit.
 *
 * @param kept remaining records, in the file's order
 * @param indices index of each of them in the file, from 0
 * @param changes records that were left out or shortened, in the file's order
 */
public record Cleaning(List<LlavaRecord> kept, List<Integer> indices, List<Change> changes) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * One change.
     *
     * @param finding the reason
     * @param action {@code left out} or {@code shortened by N questions}
     */
    public record Change(Finding finding, String action) {}

    /**
     * Cleans a data set.
     *
     * @param data that was checked
     * @param result of the check
     * @param prompts that were used to check lengths; null if lengths were not checked
     * @param keepDuplicates whether duplicates are kept
     */
    public static Cleaning of(
            LlavaData data, DataCheck.Result result, @Nullable SamplePrompts prompts, boolean keepDuplicates) {
        Map<Integer, List<Finding>> findings = result.findings().stream()
                .filter(finding -> !(keepDuplicates && finding.kind() == Finding.Kind.DUPLICATE))
                .collect(Collectors.groupingBy(finding -> finding.record().index()));
        List<LlavaRecord> kept = new ArrayList<>();
        List<Integer> indices = new ArrayList<>();
        Map<Integer, Change> changes = new LinkedHashMap<>();
        findings.forEach((index, found) -> changes.put(index, new Change(found.getFirst(), "left out")));
        for (int i = 0; i < data.records().size(); i++) {
            LlavaRecord record = data.records().get(i);
            List<Finding> found = findings.get(data.indices()[i]);
            if (found == null) {
                kept.add(record);
                indices.add(data.indices()[i]);
            } else if (prompts != null && found.stream().allMatch(finding -> finding.kind() == Finding.Kind.TOO_LONG)) {
                LlavaRecord shorter =
                        shortened(record, prompts, result.imageTokens().apply(record));
                if (shorter != null) {
                    kept.add(shorter);
                    indices.add(data.indices()[i]);
                    int questions = (record.turns().size() - shorter.turns().size()) / 2;
                    changes.put(
                            data.indices()[i],
                            new Change(found.getFirst(), "shortened by %d questions".formatted(questions)));
                }
            }
        }
        List<Change> ordered = changes.values().stream()
                .sorted(java.util.Comparator.comparingInt(
                        change -> change.finding().record().index()))
                .toList();
        return new Cleaning(List.copyOf(kept), List.copyOf(indices), ordered);
    }

    /** The record without its last questions, so that it fits; null if even its first question does not fit. */
    private static @Nullable LlavaRecord shortened(LlavaRecord record, SamplePrompts prompts, int[] imageTokens) {
        for (int turns = record.turns().size() - 2; turns >= 2; turns -= 2) {
            List<Turn> first = record.turns().subList(0, turns);
            LlavaRecord shorter = record.withTurns(first);
            try {
                if (prompts.sequenceLength(prompts.whole(shorter), imageTokens) <= prompts.maxLength()) {
                    prompts.of(shorter);
                    return shorter;
                }
            } catch (DataException e) {
                return null; // an image is named in a question that would be lost
            }
        }
        return null;
    }

    /** Writes {@link #changes} as JSON lines: {@code index, id, kind, reason, action}. */
    public void writeChanges(Path file) {
        AtomicFiles.write(file, channel -> {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
            for (Change change : changes) {
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("index", change.finding().record().index());
                line.put("id", change.finding().record().id());
                line.put("kind", change.finding().kind().name().toLowerCase(java.util.Locale.ROOT));
                line.put("reason", change.finding().record().reason());
                line.put("action", change.action());
                out.write(JSON.writeValueAsBytes(line));
                out.write('\n');
            }
            out.flush();
        });
    }
}
