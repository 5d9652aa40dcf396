package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.config.FlagNames;
import io.llava4j.train.config.NearestName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Values of options in a YAML file: a key for each, without sections. */
final class SettingsFile {
    private SettingsFile() {}

    /**
     * The values as the command line would have them: those of a list with commas.
     *
     * @param known keys
     * @throws ConfigException naming the file and what is wrong in it
     */
    static Map<String, String> read(Path file, List<String> known) {
        if (!Files.isRegularFile(file)) {
            throw new ConfigException("the settings file %s does not exist; check --config".formatted(file));
        }
        Map<String, String> values = new LinkedHashMap<>();
        ConfigFile.read(file, FlagNames.NONE, note -> {}).values().forEach((key, value) -> {
            if (!known.contains(key)) {
                throw new ConfigException("%s: unknown key '%s'; %s"
                        .formatted(
                                file,
                                key,
                                NearestName.of(key, known)
                                        .map("did you mean '%s'?"::formatted)
                                        .orElse("keys are the names of options without their dashes")));
            }
            if (value != null) {
                values.put(key, text(file, key, value));
            }
        });
        return values;
    }

    private static String text(Path file, String key, Object value) {
        if (value instanceof Map) {
            throw new ConfigException("%s: %s is a section; write a value".formatted(file, key));
        }
        return value instanceof List<?> list
                ? list.stream().map(String::valueOf).collect(Collectors.joining(","))
                : String.valueOf(value);
    }
}
