package io.llava4j.train.data.mixture;

import io.llava4j.ConfigException;
import io.llava4j.text.ResponseFormat;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.FlagNames;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.raw.SourceKind;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a mixture is made of and how; see {@code recipes/data/mix665k.yaml}.
 *
 * @param name of the mixture and of its file
 * @param seed of every random decision
 * @param shuffle whether records of all sources are mixed, or come source by source
 * @param badRecords what happens to raw records that cannot be used
 * @param raw folder the sources' files are below
 * @param images folder the images are below; null if they are not looked for
 * @param tokenizer file or folder of the tokenizer that counts tokens; null if none is needed
 * @param rules values of rules for all sources
 * @param sources by name, in the order in which they are put together
 */
public record MixtureRecipe(
        String name,
        @Default("1") long seed,
        @Default("true") boolean shuffle,
        @Default("skip") Policy badRecords,
        @Default(".") Path raw,
        @Nullable Path images,
        @Nullable Path tokenizer,
        Map<String, String> rules,
        Map<String, Source> sources) {
    /**
     * One source.
     *
     * @param kind form of its raw files
     * @param files by the part they play, below {@code raw}
     * @param images folder of its images below the image folder; written before their names
     * @param responseFormat prompt of its questions
     * @param expected conversations it should give; null if not known
     * @param paper the number the paper has for it
     * @param licence of the data, for manifest and datasheet
     * @param include false leaves it out
     * @param rules values of rules for this source
     */
    public record Source(
            SourceKind kind,
            Map<String, Path> files,
            @Default("''") String images,
            @Default("none") ResponseFormat responseFormat,
            @Nullable Integer expected,
            @Default("''") String paper,

            @Default("unknown; see the data set's own pages")
            String licence,

            @Default("true") boolean include,
            Map<String, String> rules) {
        private Source with(Map<String, String> others) {
            return new Source(kind, files, images, responseFormat, expected, paper, licence, include, others);
        }
    }

    /** @throws ConfigException if something is missing, or a rule does not exist or cannot have its value */
    public MixtureRecipe {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
            throw new ConfigException("name must be letters, digits, dots and dashes, not '%s'".formatted(name));
        }
        if (sources.values().stream().noneMatch(Source::include)) {
            throw new ConfigException("sources is empty; name at least one");
        }
        rules = RuleAliases.renamed(rules, "rules");
        sources = renamed(sources);
        Map<String, String> common = rules;
        sources.forEach((key, source) -> {
            String at = "sources." + key;
            if (!key.matches("[A-Za-z0-9][A-Za-z0-9._+-]*")) {
                throw new ConfigException(at + " must be named with letters, digits, dots and dashes");
            }
            if (source.files().isEmpty()) {
                throw new ConfigException(at + ".files is empty; name the files of the source");
            }
            for (String role : source.kind().roles()) {
                if (!source.files().containsKey(role)) {
                    throw new ConfigException("%s.files.%s is missing; name the file".formatted(at, role));
                }
            }
            if (source.expected() != null && source.expected() < 0) {
                throw new ConfigException(at + ".expected is negative");
            }
            new Rules(source.kind(), source.rules(), common, at);
        });
    }

    private static Map<String, Source> renamed(Map<String, Source> sources) {
        Map<String, Source> renamed = new LinkedHashMap<>();
        sources.forEach((key, source) ->
                renamed.put(key, source.with(RuleAliases.renamed(source.rules(), "sources.%s.rules".formatted(key)))));
        return renamed;
    }

    /**
     * Reads a recipe.
     *
     * @param overrides by dotted key; {@code SOURCE.RULE} and {@code RULE} stand for a rule's whole key
     * @throws ConfigException naming file and key
     */
    public static MixtureRecipe load(Path file, Map<String, String> overrides) {
        Map<String, String> whole = new LinkedHashMap<>();
        overrides.forEach((key, value) -> {
            String rule = key.substring(key.lastIndexOf('.') + 1);
            RuleAliases.warn(rule, value, "--set");
            whole.put(
                    wholeKey(key.substring(0, key.length() - rule.length()) + RuleAliases.key(rule)),
                    RuleAliases.value(rule, value));
        });
        ConfigFile recipe = ConfigFile.read(file, FlagNames.NONE, note -> {});
        whole.forEach(recipe::override);
        return recipe.bind(MixtureRecipe.class, Map.of());
    }

    /** Reads what {@link #toYaml} has written. */
    public static MixtureRecipe parse(String yaml) {
        return ConfigFile.parse(MixtureRecipe.class, yaml);
    }

    /** The recipe with all its values. */
    public String toYaml() {
        return ConfigFile.toYaml(this);
    }

    private static String wholeKey(String key) {
        int dot = key.lastIndexOf('.');
        if (Rule.of(key).isPresent()) {
            return "rules." + key;
        }
        boolean ofSource = dot > 0
                && key.indexOf('.') == dot
                && !key.startsWith("rules.")
                && Rule.of(key.substring(dot + 1)).isPresent();
        return ofSource ? "sources.%s.rules.%s".formatted(key.substring(0, dot), key.substring(dot + 1)) : key;
    }

    /** The sources that are not left out, in order. */
    public List<String> included() {
        return sources.entrySet().stream()
                .filter(entry -> entry.getValue().include())
                .map(Map.Entry::getKey)
                .toList();
    }

    /** The largest number of conversations of a source; 0 for no limit. */
    public int sample(String source) {
        return rulesOf(source).limit(Rule.SAMPLE);
    }

    /** Whether a source's tokens are counted, so that a tokenizer is needed. */
    boolean countsTokens(String source) {
        return rulesOf(source).limit(Rule.MAX_TOKENS) > 0;
    }

    /** Where a source's file is. */
    Path file(Path below) {
        return raw.resolve(below);
    }

    Rules rulesOf(String source) {
        Source its = sources.get(source);
        if (its == null) {
            throw new IllegalArgumentException(source);
        }
        return new Rules(its.kind(), its.rules(), rules, "sources." + source);
    }
}
