package io.llava4j.nano.raw;

import io.llava4j.nano.text.Captions;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.Turn;
import io.llava4j.train.data.raw.RawSchemas;
import io.llava4j.train.data.raw.RawWriter;
import java.io.IOException;
import java.util.List;

/** LCS-558K: images with one caption each, for stage 1 (docs/reference/data.md#pretraining-data). */
final class LcsSource implements RawSource {
    /** Half of the images show few objects: with short captions the projector is trained on names fastest. */
    @Override
    public List<SceneOptions> scenes(SceneOptions usual) {
        return List.of(usual.withObjects(1, 2), usual.withObjects(3, 5));
    }

    @Override
    public void write(SourceImages images) throws IOException {
        try (RawWriter out = RawWriter.array(images.file("lcs/blip_laion_cc_sbu_558k.json"))) {
            for (int i = 0; i < images.count(); i++) {
                SplitMix64 random = images.random(i);
                Scene scene = images.scene(i);
                String id = "%09d".formatted(images.number(i));
                String path = "%05d/%s.jpg".formatted(i / 1000, id);
                String instruction = Captions.instruction(random);
                String human = random.chance(0.5)
                        ? Turn.IMAGE_PLACEHOLDER + "\n" + instruction
                        : instruction + "\n" + Turn.IMAGE_PLACEHOLDER;
                String caption = Captions.caption(scene, random);
                out.add(RawSchemas.conversation(id, path, List.of("human", human, "gpt", caption)));
                images.draw(i, scene, "lcs/" + path);
            }
        }
    }
}
