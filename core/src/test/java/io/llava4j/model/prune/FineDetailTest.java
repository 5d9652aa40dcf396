package io.llava4j.model.prune;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FineDetailTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Please provide the bounding box coordinate of the region this sentence describes: the red cup",
                "Please provide a short description for this region: [0.31, 0.2, 0.62, 0.74]",
                "What is in [.1, .2, .3, .4]?",
                "What is written on the bus?\nReference OCR token: STOP",
                "What does the sign say?",
                "what does it say on the front of the bus",
                "Read the text in the image.",
                "What is the title of this book?",
                "what brand is the phone?",
                "Transcribe this page."
            })
    void textAndRegionsAreFineDetail(String question) {
        assertThat(FineDetail.isAskedFor(question)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "What colour is the cup?",
                "Is there a dog in the image?",
                "Describe this photo in detail.",
                "How many people are there?\nAnswer the question using a single word or phrase.",
                "What is the man reading?",
                "Is the cat left of the dog?",
                "Which of these is larger, A or B?"
            })
    void otherQuestionsAreNot(String question) {
        assertThat(FineDetail.isAskedFor(question)).isFalse();
    }
}
