package io.llava4j.train.run.log;

import io.llava4j.tensor.Engine;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a run was made on, for {@code env.json}: versions and machine, no names of people or hosts. */
public final class Environment {
    private Environment() {}

    /** By name. */
    public static Map<String, Object> describe() {
        Map<String, Object> environment = new LinkedHashMap<>();
        String version = Environment.class.getPackage().getImplementationVersion();
        environment.put("llava4j", version == null ? "unpackaged" : version);
        environment.put("java", Runtime.version().toString());
        environment.put("engine", Engine.describe());
        environment.put("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        environment.put("processors", Runtime.getRuntime().availableProcessors());
        environment.put("max_heap_bytes", Runtime.getRuntime().maxMemory());
        return environment;
    }
}
