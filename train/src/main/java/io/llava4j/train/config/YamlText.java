package io.llava4j.train.config;

import io.llava4j.ConfigException;
import io.llava4j.io.ForeignContent;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLMapper;
import tools.jackson.dataformat.yaml.YAMLWriteFeature;

/** YAML text to trees of maps, lists and scalars, and back. */
final class YamlText {
    private static final ObjectMapper YAML = new YAMLMapper(YAMLFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(YAMLWriteFeature.WRITE_DOC_START_MARKER)
            .enable(YAMLWriteFeature.MINIMIZE_QUOTES)
            .build());

    private YamlText() {}

    /** A value given as text, read as a YAML file's value would be; null if it is blank. */
    static @Nullable Object value(String key, String text) {
        try {
            return text.isBlank() ? null : YAML.readValue(text, Object.class);
        } catch (JacksonException e) {
            throw new ConfigException("%s cannot be read from '%s'; write it as in YAML".formatted(key, text), e);
        }
    }

    /** The sections of a text that this class has written. */
    static Map<String, Object> parse(String text) {
        return section(YAML.readValue(text, Map.class));
    }

    /** A tree as text. */
    static String write(Map<String, Object> tree) {
        return YAML.writeValueAsString(tree);
    }

    /**
     * The sections of a file.
     *
     * @throws ConfigException if it does not exist, is not YAML or holds no keys
     */
    static Map<String, Object> read(Path file) {
        ForeignContent.describe(file).ifPresent(what -> {
            throw new ConfigException("recipe %s %s".formatted(file, what));
        });
        try {
            Object root = YAML.readValue(Files.readString(file), Object.class);
            if (root instanceof Map<?, ?> map) {
                return section(map);
            }
            throw new ConfigException("%s holds no keys; write YAML, a line with KEY: VALUE for each".formatted(file));
        } catch (NoSuchFileException e) {
            throw new ConfigException("recipe %s does not exist; check the path".formatted(file), e);
        } catch (CharacterCodingException e) {
            throw new ConfigException("recipe %s is not text in UTF-8; save it in UTF-8".formatted(file), e);
        } catch (IOException e) {
            throw new ConfigException("recipe %s cannot be read: %s".formatted(file, e.getMessage()), e);
        } catch (JacksonException e) {
            TokenStreamLocation location = e.getLocation();
            String line = location == null ? "" : " at line " + location.getLineNr();
            String problem = e.getOriginalMessage() == null
                    ? ""
                    : e.getOriginalMessage().lines().findFirst().orElse("");
            throw new ConfigException("%s is not valid YAML%s: %s".formatted(file, line, problem), e);
        }
    }

    /** A mutable copy with text as keys; nested sections are copied too. */
    static Map<String, Object> section(Map<?, ?> map) {
        Map<String, Object> section = new LinkedHashMap<>();
        map.forEach((key, value) ->
                section.put(String.valueOf(key), value instanceof Map<?, ?> inner ? section(inner) : value));
        return section;
    }
}
