package io.llava4j.train.data.mixture;

import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.raw.RawItem;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Makes the rejections of one source.
 *
 * @param source its name
 * @param raw folder of the raw files; lists and manifests name files below it, so that they are the same wherever it is
 */
record Rejections(String source, String raw) {
    /** Counts conversations that break LLaVA's data format. */
    static final String INVALID = "invalid";
    /** Counts raw records that cannot be read. */
    static final String BAD_RECORD = "bad-record";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** An item, or a part of it, that a rule leaves out. */
    Rejection of(RawItem item, RejectedException reason) {
        return of(reason.rule(), new SkippedRecord(item.file(), item.index(), item.id(), reason.reason()));
    }

    /** A record that a rule leaves out. */
    Rejection of(String rule, SkippedRecord record) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("source", source);
        line.put("rule", rule);
        line.put("file", belowRaw(record.file()));
        line.put("record", record.index());
        line.put("id", record.id());
        line.put("reason", record.reason());
        return new Rejection(rule, JSON.writeValueAsString(line));
    }

    private String belowRaw(String file) {
        String folder = raw + "/";
        return file.startsWith(folder) ? file.substring(folder.length()) : file;
    }
}
