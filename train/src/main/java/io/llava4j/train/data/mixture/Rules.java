package io.llava4j.train.data.mixture;

import io.llava4j.ConfigException;
import io.llava4j.train.data.raw.SourceKind;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The rules of one source with their values. */
final class Rules {
    private final Map<Rule, String> values = new EnumMap<>(Rule.class);

    /**
     * @param kind whose rules are wanted
     * @param own values for this source
     * @param common values for all sources; those that do not apply to this kind are ignored
     * @param at key of the source, for messages
     * @throws ConfigException at an unknown rule, one that does not apply to this kind, or a value that the rule does not take
     */
    Rules(SourceKind kind, Map<String, String> own, Map<String, String> common, String at) {
        for (Rule rule : Rule.values()) {
            if (rule.appliesTo(kind)) {
                values.put(rule, rule.standard());
            }
        }
        common.forEach((key, value) -> {
            Rule rule = known(key, "rules." + key);
            if (rule.appliesTo(kind)) {
                set(rule, value, "rules." + key);
            }
        });
        own.forEach((key, value) -> {
            String place = at + ".rules." + key;
            Rule rule = known(key, place);
            if (!rule.appliesTo(kind)) {
                throw new ConfigException("%s does not apply to this source; its rules are %s"
                        .formatted(
                                place, values.keySet().stream().map(Rule::key).toList()));
            }
            set(rule, value, place);
        });
    }

    private static Rule known(String key, String place) {
        return Rule.of(key)
                .orElseThrow(() -> new ConfigException("%s is not a rule; use one of %s"
                        .formatted(
                                place,
                                Arrays.stream(Rule.values()).map(Rule::key).toList())));
    }

    private void set(Rule rule, String value, String place) {
        if (!rule.accepts(value)) {
            throw new ConfigException("%s must be %s, not '%s'".formatted(place, rule.expected(), value));
        }
        values.put(rule, value);
    }

    /** Whether a switch is on; a rule that does not apply to the source is off. */
    boolean on(Rule rule) {
        return "true".equals(values.get(rule));
    }

    /** A limit; 0 if it is off. */
    int limit(Rule rule) {
        return Integer.parseInt(values.getOrDefault(rule, "0"));
    }

    /** A choice. */
    String choice(Rule rule) {
        return Objects.requireNonNull(values.get(rule), rule::key);
    }

    /** The languages to skip. */
    List<String> languages() {
        String value = values.getOrDefault(Rule.SKIP_LANGUAGES, "");
        return value.isEmpty() ? List.of() : List.of(value.split(","));
    }

    /** Values by key, for the manifest. */
    Map<String, String> asMap() {
        Map<String, String> map = new LinkedHashMap<>();
        values.forEach((rule, value) -> map.put(rule.key(), value));
        return map;
    }
}
