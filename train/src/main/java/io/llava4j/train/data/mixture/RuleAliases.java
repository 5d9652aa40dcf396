package io.llava4j.train.data.mixture;

import io.llava4j.ConfigException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Names that rules had before; recipes may still use them, with a warning. */
final class RuleAliases {
    private static final Logger LOG = LoggerFactory.getLogger(RuleAliases.class);
    private static final String FEWER_PAIRS_THAN = "fewer-pairs-than";
    private static final Map<String, Rule> RENAMED = Map.of(
            "most-tokens",
            Rule.MAX_TOKENS,
            "fewest-turns",
            Rule.MIN_TURNS,
            "most-regions",
            Rule.MAX_REGIONS,
            "fewest-characters",
            Rule.MIN_CHARACTERS,
            FEWER_PAIRS_THAN,
            Rule.MAX_PAIRS);

    private RuleAliases() {}

    /** Today's name of a rule; any other key as it is. */
    static String key(String key) {
        Rule renamed = RENAMED.get(key);
        return renamed == null ? key : renamed.key();
    }

    /** The value under today's name: {@code fewer-pairs-than: N} allowed N - 1 pairs. */
    static String value(String key, String value) {
        if (!key.equals(FEWER_PAIRS_THAN) || !Rule.MAX_PAIRS.accepts(value)) {
            return value;
        }
        return Integer.toString(Math.max(0, Integer.parseInt(value) - 1));
    }

    /** Warns if a key is the earlier name of a rule. */
    static void warn(String key, String value, String at) {
        if (RENAMED.containsKey(key)) {
            LOG.warn("{}: rule '{}' is now called '{}'; write {}: {}", at, key, key(key), key(key), value(key, value));
        }
    }

    /**
     * Rules under today's names.
     *
     * @param rules values by name, as a recipe has them
     * @param at key of the rules, for messages
     * @throws ConfigException if a rule is set under both of its names
     */
    static Map<String, String> renamed(Map<String, String> rules, String at) {
        Map<String, String> renamed = new LinkedHashMap<>();
        rules.forEach((key, value) -> {
            warn(key, value, at);
            if (renamed.put(key(key), value(key, value)) != null) {
                throw new ConfigException(
                        "%s sets rule %s under its old name, too; remove the old one".formatted(at, key(key)));
            }
        });
        return renamed;
    }
}
