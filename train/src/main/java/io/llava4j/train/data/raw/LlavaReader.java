package io.llava4j.train.data.raw;

import io.llava4j.DataException;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.RecordRules;
import io.llava4j.train.data.raw.Annotation.Dialogue;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Files in LLaVA's own format, JSON or JSON lines: LLaVA-Instruct's kinds, LCS-558K, or a mixture made before. */
final class LlavaReader implements SourceReader {
    private static final Set<String> FIELDS = Set.of("id", "image", "system", "conversations");

    @Override
    public void read(SourceFiles files, Problems problems, Consumer<RawItem> out) {
        RecordRules rules = new RecordRules();
        for (RawFile file : files.all()) {
            RawJson.array(file, "", FIELDS, problems, record -> {
                LlavaRecord read;
                try {
                    read = rules.read(record.node());
                } catch (DataException e) {
                    throw new BadRecord(String.valueOf(e.getMessage()));
                }
                if (!read.system().isEmpty()) {
                    throw new BadRecord(
                            "it has a system prompt, which a mixture does not keep; remove it, or train on the file itself");
                }
                if (read.images().size() > 1) {
                    throw new BadRecord("it has %d images, but a record of a mixture has one; train on the file itself"
                            .formatted(read.images().size()));
                }
                out.accept(new RawItem(
                        read.id(),
                        read.images().isEmpty() ? null : read.images().getFirst(),
                        0,
                        0,
                        true,
                        List.of(new Dialogue(read.turns())),
                        record.file(),
                        record.index()));
            });
        }
    }
}
