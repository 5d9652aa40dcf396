package io.llava4j.nano.raw;

import io.llava4j.nano.text.SceneDescriptions;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.Turn;
import io.llava4j.train.data.raw.RawSchemas;
import io.llava4j.train.data.raw.RawWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** LLaVA-Instruct-150K: conversations of several turns and detailed descriptions, in full sentences. */
final class InstructSource implements RawSource {
    /** Fraction of detailed descriptions: 23K of 158K. */
    private static final double DETAILED = 0.15;

    /** Share of further free questions, if questions come in all forms. */
    private static final double SENTENCES = 0.4;

    @Override
    public void write(SourceImages images) throws IOException {
        try (RawWriter out = RawWriter.array(images.file("llava/llava_instruct_150k.json"))) {
            for (int i = 0; i < images.count(); i++) {
                SplitMix64 random = images.random(i);
                Scene scene = images.scene(i);
                List<Turn> turns = new ArrayList<>();
                if (random.chance(DETAILED)) {
                    turns.add(Turn.human("Describe the image in detail."));
                    turns.add(Turn.assistant(SceneDescriptions.describe(scene, false, random)));
                }
                if (turns.isEmpty() && images.allForms() && random.chance(SENTENCES)) {
                    turns.addAll(images.forms().sentence(scene, random));
                }
                while (turns.isEmpty()) {
                    turns.addAll(images.conversations().free(scene, random));
                }
                String first = turns.getFirst().text();
                turns.set(
                        0,
                        Turn.human(
                                random.chance(0.5)
                                        ? first + "\n" + Turn.IMAGE_PLACEHOLDER
                                        : Turn.IMAGE_PLACEHOLDER + "\n" + first));
                String image = images.cocoName(i);
                out.add(RawSchemas.conversation(image.substring(0, 12), image, ChatSource.spoken(turns)));
                images.draw(i, scene, "coco/train2017/" + image);
            }
        }
    }
}
