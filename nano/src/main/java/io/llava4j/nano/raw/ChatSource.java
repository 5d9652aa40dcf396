package io.llava4j.nano.raw;

import io.llava4j.nano.text.TextChats;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import io.llava4j.train.data.raw.RawSchemas;
import io.llava4j.train.data.raw.RawWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** ShareGPT: shared conversations without an image, some in HTML, some with a greeting first or an unanswered question last. */
final class ChatSource implements RawSource {
    /** Share of the chats about a scene in words, if questions come in all forms. */
    private static final double ABOUT_SCENES = 0.7;

    @Override
    public boolean illustrated() {
        return false;
    }

    @Override
    public void write(SourceImages images) throws IOException {
        TextChats chats = new TextChats(images.categories());
        Set<List<String>> seen = new HashSet<>();
        try (RawWriter out = RawWriter.array(images.file("sharegpt/sharegpt.json"))) {
            for (int i = 0; seen.size() < images.count(); i++) {
                SplitMix64 random = images.random(i);
                List<String> spoken = spoken(
                        images.allForms() && random.chance(ABOUT_SCENES)
                                ? images.forms().inWords(images.scene(i), random)
                                : chats.chat(random));
                if (seen.add(List.copyOf(spoken))) {
                    out.add(RawSchemas.conversation("nano" + i, "", shared(spoken, random)));
                }
            }
        }
    }

    private static List<String> shared(List<String> spoken, SplitMix64 random) {
        if (random.chance(0.2)) {
            for (int k = 3; k < spoken.size(); k += 4) {
                spoken.set(k, "<p>" + spoken.get(k) + "</p>");
            }
        }
        if (random.chance(0.1)) {
            spoken.addAll(0, List.of("gpt", "Hello!"));
        }
        if (random.chance(0.1)) {
            spoken.addAll(List.of("human", "Thank you!"));
        }
        return spoken;
    }

    /** Speakers and their texts, alternating. */
    static List<String> spoken(List<Turn> turns) {
        List<String> spoken = new ArrayList<>();
        for (Turn turn : turns) {
            spoken.add(turn.role() == Role.HUMAN ? "human" : "gpt");
            spoken.add(turn.text());
        }
        return spoken;
    }
}
