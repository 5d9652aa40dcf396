package io.llava4j.generate.constrain;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;

/** Turns a JSON schema into rules. */
final class SchemaCompiler {
    /** Far more than anybody writes; a client's schema must not fill the memory. */
    private static final int MAX_SCHEMAS = 10_000;

    private final JsonNode root;
    private final Map<JsonNode, ValueRule> compiled = new IdentityHashMap<>();
    private final List<ValueRule> rules = new ArrayList<>();
    private final List<OneOf> exclusive = new ArrayList<>();
    private final ValueRule any = newRule();

    /** Alternatives of which exactly one may fit. */
    private record OneOf(SchemaKeywords at, List<ValueRule> alternatives) {}

    private SchemaCompiler(JsonNode root) {
        this.root = root;
        any.add(new ObjectShape(Map.of(), Set.of(), any));
        any.add(new ArrayShape(List.of(), any, 0, ArrayShape.UNLIMITED));
        any.add(new TextShape.Length(0, TextMatcher.Length.UNLIMITED));
        any.add(NumberShape.ANY);
        List.of("true", "false", "null").forEach(text -> any.add(new Shape.Literal(text)));
    }

    /**
     * The rule of a whole schema.
     *
     * @throws io.llava4j.ConfigException if it uses a keyword that cannot be honoured, or no document fits it
     */
    static ValueRule compile(JsonNode schema) {
        SchemaKeywords root = new SchemaKeywords("#", schema);
        root.requireWritable();
        SchemaCompiler compiler = new SchemaCompiler(schema);
        ValueRule rule = compiler.rule(root);
        compiler.rules.forEach(ValueRule::close);
        boolean changed = true;
        while (changed) {
            changed = false;
            for (ValueRule each : compiler.rules) {
                changed |= each.updateLevels();
            }
        }
        compiler.exclusive.forEach(SchemaCompiler::requireDisjoint);
        if (!rule.fits(0)) {
            throw root.refused(
                    "fits no document of at most %d levels; check what it requires".formatted(Shape.MAX_DEPTH));
        }
        return rule;
    }

    private ValueRule newRule() {
        ValueRule rule = new ValueRule();
        rules.add(rule);
        return rule;
    }

    private ValueRule rule(SchemaKeywords at) {
        JsonNode schema = at.schema();
        if (schema.isBoolean()) {
            return schema.asBoolean() ? any : ValueRule.NEVER;
        }
        if (!schema.isObject()) {
            throw at.refused("is %s; a schema is an object, true or false".formatted(schema.getNodeType()));
        }
        ValueRule known = compiled.get(schema);
        if (known != null) {
            return known;
        }
        if (rules.size() > MAX_SCHEMAS) {
            throw at.refused("is one of more than %d schemas; write a smaller one".formatted(MAX_SCHEMAS));
        }
        ValueRule rule = newRule();
        compiled.put(schema, rule);
        fill(rule, at);
        return rule;
    }

    private void fill(ValueRule rule, SchemaKeywords at) {
        Set<String> constraints = at.constraints();
        if (constraints.contains("$ref")) {
            rule.addAll(rule(referred(at, at.alone("$ref", constraints).asString(""))));
        } else if (constraints.contains("anyOf")) {
            at.alone("anyOf", constraints);
            alternatives(at, "anyOf").forEach(rule::addAll);
        } else if (constraints.contains("oneOf")) {
            at.alone("oneOf", constraints);
            List<ValueRule> alternatives = alternatives(at, "oneOf");
            alternatives.forEach(rule::addAll);
            exclusive.add(new OneOf(at, alternatives));
        } else if (constraints.contains("allOf")) {
            at.alone("allOf", constraints);
            List<ValueRule> all = alternatives(at, "allOf");
            if (all.size() > 1) {
                throw at.refused(
                        "uses 'allOf' with several schemas, which constrained decoding cannot honour; join them");
            }
            all.forEach(rule::addAll);
        } else if (constraints.contains("const") || constraints.contains("enum")) {
            new Constants(this::newRule).add(rule, at.permittedConstants(constraints));
        } else if (constraints.isEmpty()) {
            rule.addAll(any);
        } else {
            at.types().forEach(type -> add(rule, type, at));
        }
    }

    private List<ValueRule> alternatives(SchemaKeywords at, String keyword) {
        List<ValueRule> alternatives = new ArrayList<>();
        int count = at.array(keyword).size();
        if (count == 0) {
            throw at.refused("has '%s' without a schema".formatted(keyword));
        }
        for (int i = 0; i < count; i++) {
            alternatives.add(rule(at.child(keyword, Integer.toString(i))));
        }
        return alternatives;
    }

    private SchemaKeywords referred(SchemaKeywords at, String reference) {
        if (!reference.equals("#") && !reference.startsWith("#/")) {
            throw at.refused(
                    "refers to '%s'; only parts of the same schema ('#/…') can be referred to".formatted(reference));
        }
        JsonNode target;
        try {
            String pointer = URLDecoder.decode(reference.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
            target = root.at(JsonPointer.compile(pointer));
        } catch (IllegalArgumentException e) {
            throw at.refused("refers to '%s', which is no JSON pointer".formatted(reference));
        }
        if (target.isMissingNode()) {
            throw at.refused("refers to '%s', which does not exist".formatted(reference));
        }
        return new SchemaKeywords(reference, target);
    }

    private void add(ValueRule rule, JsonType type, SchemaKeywords at) {
        switch (type) {
            case OBJECT -> rule.add(object(at));
            case ARRAY -> rule.add(array(at));
            case STRING ->
                rule.add(new TextShape.Length(
                        at.count("minLength", 0), at.count("maxLength", TextMatcher.Length.UNLIMITED)));
            case NUMBER, INTEGER -> rule.add(NumberShape.of(type == JsonType.INTEGER, at.bounds()));
            case BOOLEAN -> {
                rule.add(new Shape.Literal("true"));
                rule.add(new Shape.Literal("false"));
            }
            case NULL -> rule.add(new Shape.Literal("null"));
        }
    }

    private ObjectShape object(SchemaKeywords at) {
        ValueRule others = at.has("additionalProperties") ? rule(at.child("additionalProperties")) : any;
        Map<String, ValueRule> properties = new LinkedHashMap<>();
        for (String name : at.names("properties")) {
            properties.put(name, rule(at.child("properties", name)));
        }
        Set<String> required = new TreeSet<>(at.texts("required"));
        required.forEach(name -> properties.putIfAbsent(name, others));
        return new ObjectShape(properties, required, others);
    }

    private ArrayShape array(SchemaKeywords at) {
        List<ValueRule> first = new ArrayList<>();
        if (at.has("prefixItems")) {
            first.addAll(alternatives(at, "prefixItems"));
        }
        ValueRule others = at.has("items") ? rule(at.child("items")) : any;
        return new ArrayShape(first, others, at.count("minItems", 0), at.count("maxItems", ArrayShape.UNLIMITED));
    }

    private static void requireDisjoint(OneOf oneOf) {
        List<ValueRule> alternatives = oneOf.alternatives;
        for (int i = 0; i < alternatives.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (!Disjoint.are(alternatives.get(i), alternatives.get(j))) {
                    throw oneOf.at.refused(
                            "uses 'oneOf' with alternatives %d and %d that some document may both fit; use 'anyOf', or give them a required property with different constants"
                                    .formatted(j, i));
                }
            }
        }
    }
}
