package io.llava4j.generate.constrain;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/**
 * Rules for given values.
 *
 * @param newRule makes the rules of their elements and properties
 */
record Constants(Supplier<ValueRule> newRule) {
    /** Longer numbers are allowed only as the schema writes them. */
    private static final int MAX_PLAIN_DIGITS = 40;

    /** Allows some values. */
    void add(ValueRule rule, List<JsonNode> values) {
        List<String> texts = new ArrayList<>();
        for (JsonNode value : values) {
            if (value.isString()) {
                texts.add(value.asString());
            } else if (value.isObject()) {
                rule.add(object(value));
            } else if (value.isArray()) {
                List<ValueRule> elements =
                        value.values().stream().map(this::only).toList();
                rule.add(new ArrayShape(elements, ValueRule.NEVER, elements.size(), elements.size()));
            } else {
                spellings(value).forEach(text -> rule.add(new Shape.Literal(text)));
            }
        }
        if (!texts.isEmpty()) {
            rule.add(new TextShape.OneOf(new NameTrie(texts)));
        }
    }

    private ValueRule only(JsonNode value) {
        ValueRule rule = newRule.get();
        add(rule, List.of(value));
        return rule;
    }

    private ObjectShape object(JsonNode value) {
        Map<String, ValueRule> properties = new LinkedHashMap<>();
        value.properties().forEach(property -> properties.put(property.getKey(), only(property.getValue())));
        return new ObjectShape(properties, properties.keySet(), ValueRule.NEVER);
    }

    /** A number as the schema writes it, and without exponent and trailing zeros. */
    private static Set<String> spellings(JsonNode value) {
        Set<String> texts = new LinkedHashSet<>(Set.of(value.toString()));
        if (value.isNumber()) {
            BigDecimal number = value.decimalValue().stripTrailingZeros();
            if (number.precision() + Math.abs(number.scale()) <= MAX_PLAIN_DIGITS) {
                texts.add(number.toPlainString());
            }
        }
        return texts;
    }
}
