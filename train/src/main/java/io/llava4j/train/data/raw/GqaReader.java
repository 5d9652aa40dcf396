package io.llava4j.train.data.raw;

import io.llava4j.train.data.raw.Annotation.Question;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** GQA: objects of questions by key; only the balanced set is for training. */
final class GqaReader implements SourceReader {
    private static final Set<String> FIELDS = Set.of("question", "imageId", "answer", "isBalanced");

    @Override
    public void read(SourceFiles files, Problems problems, Consumer<RawItem> out) {
        VqaReader.Words words = new VqaReader.Words();
        for (RawFile file : files.all()) {
            RawJson.keyed(file, FIELDS, problems, record -> {
                String image = words.same(record.id("imageId"));
                out.accept(new RawItem(
                        image,
                        image + ".jpg",
                        0,
                        0,
                        record.node().path("isBalanced").asBoolean(true),
                        List.of(new Question(
                                record.text("question"), List.of(words.same(record.text("answer"))), null)),
                        record.file(),
                        record.index()));
            });
        }
    }
}
