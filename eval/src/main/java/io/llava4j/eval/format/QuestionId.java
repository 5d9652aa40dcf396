package io.llava4j.eval.format;

import io.llava4j.DataException;
import java.math.BigDecimal;
import tools.jackson.databind.JsonNode;

/**
 * Id of a question. Official code keys dictionaries with what JSON holds, so the number 7 and the string "7" are
 * different ids.
 *
 * @param value the id as text; integers in plain decimal notation
 * @param number whether JSON holds a number
 */
public record QuestionId(String value, boolean number) {

    /** An integer id. */
    public static QuestionId of(long id) {
        return new QuestionId(Long.toString(id), true);
    }

    /** A string id. */
    public static QuestionId of(String id) {
        return new QuestionId(id, false);
    }

    static QuestionId of(JsonNode node, String where) {
        if (node.isString()) {
            return of(node.stringValue());
        }
        if (node.isIntegralNumber()) {
            return new QuestionId(node.bigIntegerValue().toString(), true);
        }
        if (node.isNumber() && Double.isFinite(node.doubleValue())) {
            BigDecimal exact = node.decimalValue().stripTrailingZeros();
            return new QuestionId(exact.toPlainString(), true);
        }
        throw new DataException(where + ": the id is neither a number nor a string; write it as one of them");
    }

    @Override
    public String toString() {
        return value;
    }
}
