package io.llava4j.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The texts of docs/reference/data.md#response-formats, as the released data has them. */
class ResponseFormatTest {
    @Test
    void promptHasALineOfItsOwn() {
        assertThat(ResponseFormat.SHORT.ask("What is it?"))
                .isEqualTo("What is it?\nAnswer the question using a single word or phrase.");
        assertThat(ResponseFormat.CAPTION.ask("")).isEqualTo("Provide a one-sentence caption for the provided image.");
        assertThat(ResponseFormat.NONE.ask("What is it?")).isEqualTo("What is it?");
    }

    @Test
    void regionRequestsEndInOneFullStop() {
        assertThat(ResponseFormat.BOX.about("food in the container"))
                .isEqualTo("Please provide the bounding box coordinate of the region this sentence describes:"
                        + " food in the container.");
        assertThat(ResponseFormat.BOX.about("food.")).endsWith(": food.");
        assertThat(ResponseFormat.REGION.about("[0.28, 0.8, 0.48, 0.98]"))
                .isEqualTo("Please provide a short description for this region: [0.28, 0.8, 0.48, 0.98].");
        assertThatThrownBy(() -> ResponseFormat.SHORT.about("food")).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void wordsReadFromTheImageFollow() {
        assertThat(ResponseFormat.withReadText(ResponseFormat.CAPTION.prompt(), List.of("EXIT", "12")))
                .isEqualTo("Provide a one-sentence caption for the provided image.\nReference OCR token: EXIT, 12");
    }
}
