package io.llava4j.app.verify;

import tools.jackson.databind.JsonNode;

/** Values of reference JSON files. */
final class ReferenceJson {
    private ReferenceJson() {}

    /** A JSON array of whole numbers. */
    static int[] ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::intValue).toArray();
    }
}
