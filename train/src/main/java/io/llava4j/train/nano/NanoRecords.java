package io.llava4j.train.nano;

import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaRecord;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Training records of a nano world with the scenes behind them; drawings of the training sets only. */
final class NanoRecords {
    /**
     * A record and what its picture shows.
     *
     * @param record in LLaVA's format
     * @param scene null for text only
     */
    record Sample(LlavaRecord record, @Nullable Scene scene) {}

    private final NanoWorldOptions options;
    private final SceneSampler stage1Few;
    private final SceneSampler stage1Many;
    private final SceneSampler stage2;
    private final Conversations conversations;
    private final TextChats chats;

    NanoRecords(Sprites sprites, NanoWorldOptions options) {
        this.options = options;
        SceneOptions scenes = SceneOptions.scenes(sprites.drawings().trainingSets());
        // Few things in half of the pictures: a connector learns names soonest where a caption cannot mean much else.
        this.stage1Few = new SceneSampler(sprites, scenes.withObjects(1, 2), NanoSplit.seed(options.seed(), "stage1"));
        this.stage1Many = new SceneSampler(sprites, scenes.withObjects(3, 5), NanoSplit.seed(options.seed(), "stage1"));
        this.stage2 = new SceneSampler(sprites, scenes, NanoSplit.seed(options.seed(), "stage2"));
        this.conversations = new Conversations(stage2.categories(), options.questions());
        this.chats = new TextChats(stage2.categories());
    }

    /** A picture and its caption, as in stage 1 (spec/data 2). */
    Sample stage1(int index) {
        SplitMix64 random = SplitMix64.of(options.seed(), "stage1", index);
        Scene scene = (index % 2 == 0 ? stage1Few : stage1Many).scene(index);
        String instruction = Captions.instruction(random);
        String human = random.chance(0.5)
                ? Turn.IMAGE_PLACEHOLDER + "\n" + instruction
                : instruction + "\n" + Turn.IMAGE_PLACEHOLDER;
        List<Turn> turns = List.of(Turn.human(human), Turn.assistant(Captions.caption(scene, random)));
        return new Sample(new LlavaRecord("s1-%06d".formatted(index), path("stage1", index), turns), scene);
    }

    /** A conversation of the mixture, as in stage 2 (spec/data 3). */
    Sample stage2(int index) {
        SplitMix64 random = SplitMix64.of(options.seed(), "stage2", index);
        Source source = Source.pick(options.shares(), random);
        String id = "s2-%06d".formatted(index);
        if (source == Source.TEXT_ONLY) {
            return new Sample(new LlavaRecord(id, null, chats.chat(random)), null);
        }
        Scene scene = stage2.scene(index);
        List<Turn> turns = new ArrayList<>(source.turns(conversations, scene, random));
        String first = turns.getFirst().text();
        boolean imageLast = source == Source.CONVERSATION && random.chance(0.5);
        turns.set(
                0,
                Turn.human(imageLast ? first + "\n" + Turn.IMAGE_PLACEHOLDER : Turn.IMAGE_PLACEHOLDER + "\n" + first));
        return new Sample(new LlavaRecord(id, path("stage2", index), turns), scene);
    }

    /** Path below the image folder; every fifth picture is a PNG. */
    private static String path(String stage, int index) {
        return "train/%s/%05d/%06d.%s".formatted(stage, index / 1000, index, index % 5 == 4 ? "png" : "jpg");
    }
}
