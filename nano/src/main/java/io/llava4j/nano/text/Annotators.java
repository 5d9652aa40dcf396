package io.llava4j.nano.text;

import io.llava4j.nano.world.SplitMix64;
import java.util.ArrayList;
import java.util.List;

/** The ten people whose answers a question of VQAv2's form has. */
public final class Annotators {
    private static final int PEOPLE = 10;
    /** Chance that somebody uses another word for the same thing. */
    private static final double SYNONYM = 0.1;

    private static final int MOST_OTHERS = 3;

    private Annotators() {}

    /** Most say the same, a few use another word. */
    public static List<String> answers(Question question, SplitMix64 random) {
        List<String> answers = new ArrayList<>();
        int others = 0;
        for (int i = 0; i < PEOPLE; i++) {
            String answer = question.answer();
            if (!question.synonyms().isEmpty() && others < MOST_OTHERS && random.chance(SYNONYM)) {
                answer = random.pick(question.synonyms());
                others++;
            }
            answers.add(answer);
        }
        return answers;
    }
}
