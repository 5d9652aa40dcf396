package io.llava4j.nano.text;

import io.llava4j.nano.world.SplitMix64;
import java.util.ArrayList;
import java.util.List;

/** The ten people who answer a question in VQAv2's format. */
public final class Annotators {
    private static final int PEOPLE = 10;
    /** Probability that a person uses a synonym. */
    private static final double SYNONYM = 0.1;

    private static final int MAX_OTHERS = 3;

    private Annotators() {}

    /** Ten answers: most are equal, a few are synonyms. */
    public static List<String> answers(Question question, SplitMix64 random) {
        List<String> answers = new ArrayList<>();
        int others = 0;
        for (int i = 0; i < PEOPLE; i++) {
            String answer = question.answer();
            if (!question.synonyms().isEmpty() && others < MAX_OTHERS && random.chance(SYNONYM)) {
                answer = random.pick(question.synonyms());
                others++;
            }
            answers.add(answer);
        }
        return answers;
    }
}
