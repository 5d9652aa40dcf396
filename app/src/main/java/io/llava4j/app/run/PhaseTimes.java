package io.llava4j.app.run;

import io.llava4j.io.AtomicFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Wall seconds of each phase of a job, added up over interruptions. */
public final class PhaseTimes {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path file;
    private final Map<String, Double> seconds;

    /** @param file that keeps the times; need not exist */
    public PhaseTimes(Path file) {
        this.file = file;
        this.seconds = new LinkedHashMap<>();
        if (Files.exists(file)) {
            try {
                seconds.putAll(JSON.readValue(Files.readString(file), new TypeReference<Map<String, Double>>() {}));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Runs a phase and adds its time, however it ends. */
    public <T> T measure(String phase, Supplier<T> work) {
        long start = System.nanoTime();
        try {
            return work.get();
        } finally {
            seconds.merge(phase, (System.nanoTime() - start) / 1e9, Double::sum);
            AtomicFiles.write(file, JSON.writeValueAsBytes(seconds));
        }
    }

    /** Seconds by phase, in the order in which the phases began. */
    public Map<String, Double> byPhase() {
        return seconds;
    }

    /** Seconds of all phases. */
    public double total() {
        return seconds.values().stream().mapToDouble(Double::doubleValue).sum();
    }
}
