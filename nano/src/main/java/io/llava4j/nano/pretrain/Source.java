package io.llava4j.nano.pretrain;

import io.llava4j.nano.text.SceneConversations;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.Turn;
import java.util.List;

/** Kinds of conversation the nano language model is pre-trained on, each in the layout of LLaVA's mixture (docs/reference/data.md#conversation-layouts). */
enum Source {
    VQA,
    CHOICE,
    CAPTION,
    REGION,
    CONVERSATION,
    TEXT_ONLY;

    private static final int MIN_QUESTIONS = 3;
    private static final int MAX_QUESTIONS = 6;

    static Source pick(FinetuneShares shares, SplitMix64 random) {
        return values()[
                random.weighted(
                        shares.vqa(),
                        shares.choice(),
                        shares.caption(),
                        shares.region(),
                        shares.conversation(),
                        shares.textOnly())];
    }

    /**
     * A conversation about a scene, without the image's placeholder; short answers where the scene offers no question of
     * this source's kind.
     */
    List<Turn> turns(SceneConversations conversations, Scene scene, SplitMix64 random) {
        List<Turn> turns = switch (this) {
            case VQA -> List.of();
            case CHOICE -> conversations.choice(scene, random);
            case CAPTION -> conversations.caption(scene, random);
            case REGION -> conversations.region(scene, random);
            case CONVERSATION -> conversations.free(scene, random);
            case TEXT_ONLY -> throw new IllegalStateException("text-only conversations have no scene");
        };
        return turns.isEmpty() ? conversations.vqa(scene, random.between(MIN_QUESTIONS, MAX_QUESTIONS), random) : turns;
    }
}
