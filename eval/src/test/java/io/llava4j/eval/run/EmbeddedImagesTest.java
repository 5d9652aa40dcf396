package io.llava4j.eval.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddedImagesTest {
    private static final byte[] PNG = bytes(0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n');
    private static final byte[] JPEG = bytes(0xff, 0xd8, 0xff, 0xe0);

    @TempDir
    Path folder;

    /** As a data URL, in base64 alone, and broken into lines; the same image twice is one file. */
    @Test
    void imagesInQuestionsBecomeFilesNamedByTheirContent() throws Exception {
        String png = Base64.getEncoder().encodeToString(PNG);
        String jpeg = Base64.getMimeEncoder().encodeToString(JPEG);
        EmbeddedImages read = of(null, "data:image/png;base64," + png, jpeg, png, null);

        List<@Nullable String> names =
                read.questions().stream().map(Question::image).toList();
        assertThat(Files.readAllBytes(read.folder().resolve(String.valueOf(names.get(0)))))
                .isEqualTo(PNG);
        assertThat(Files.readAllBytes(read.folder().resolve(String.valueOf(names.get(1)))))
                .isEqualTo(JPEG);
        assertThat(names.get(2)).isEqualTo(names.get(0));
        assertThat(names.get(3)).isNull();
        assertThat(of(null, png).questions().getFirst().image()).isEqualTo(names.get(0));
    }

    @Test
    void questionsThatNameFilesStayAsTheyAre() {
        EmbeddedImages read = of(folder, "a.jpg", "/9j/b.png", null);

        assertThat(read.questions().stream().map(Question::image)).containsExactly("a.jpg", "/9j/b.png", null);
        assertThat(read.folder()).isEqualTo(folder);
    }

    @Test
    void filesNeedAFolder() {
        assertThatThrownBy(() -> of(null, null, "a.jpg"))
                .isInstanceOf(DataException.class)
                .hasMessage("question 1 names the image 'a.jpg'; name the folder of the images with --images");
    }

    @Test
    void bothKindsInOneFileAreRefused() {
        String png = Base64.getEncoder().encodeToString(PNG);
        assertThatThrownBy(() -> of(folder, "a.jpg", png))
                .isInstanceOf(DataException.class)
                .hasMessage("question 1 holds its image itself, but question 0 names a file; put them into two question"
                        + " files");
    }

    @ParameterizedTest
    @ValueSource(strings = {"data:image/png;base64,iVBOR!", "data:image/png,abc", "data:image/png;base64"})
    void aDamagedImageIsRefusedWithItsQuestion(String image) {
        assertThatThrownBy(() -> of(folder, image))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("question 0: ")
                .hasMessageEndingWith("; write it to a file and name its path");
    }

    private EmbeddedImages of(@Nullable Path images, @Nullable String... questions) {
        int[] id = {0};
        return EmbeddedImages.of(
                Arrays.stream(questions)
                        .map(image -> new Question(QuestionId.of(id[0]++), image, "What?", "default"))
                        .toList(),
                images,
                folder.resolve("answers.jsonl"));
    }

    /** A file that begins like this. */
    private static byte[] bytes(int... head) {
        byte[] file = new byte[120];
        for (int i = 0; i < file.length; i++) {
            file[i] = (byte) (i < head.length ? head[i] : i);
        }
        return file;
    }
}
