package io.llava4j.train.data.raw;

import io.llava4j.train.data.raw.Annotation.Chat;
import io.llava4j.train.data.raw.Annotation.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/** ShareGPT: shared conversations, in one or several files, not cleaned yet. */
final class ShareGptReader implements SourceReader {
    private static final Set<String> FIELDS = Set.of("id", "conversations");

    @Override
    public void read(SourceFiles files, Problems problems, Consumer<RawItem> out) {
        for (RawFile file : files.all()) {
            RawJson.array(file, "", FIELDS, problems, record -> {
                List<Message> messages = new ArrayList<>();
                for (RawRecord turn : record.records("conversations")) {
                    JsonNode value = turn.node().path("value");
                    if (!value.isString()) {
                        throw new BadRecord("turn %d has no text".formatted(messages.size() + 1));
                    }
                    messages.add(new Message(turn.text("from"), value.stringValue()));
                }
                String id = record.has("id") ? record.id("id") : Integer.toString(record.index());
                out.accept(
                        new RawItem(id, null, 0, 0, true, List.of(new Chat(messages)), record.file(), record.index()));
            });
        }
    }
}
