package io.llava4j.eval.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The images of MMBench's table follow the table, and one that cannot be used is named by its row. */
class MmBenchImagesTest {
    private static final Benchmark MMBENCH = Benchmarks.MMBENCH;

    @TempDir
    Path folder;

    @Test
    void anImageOfAnEarlierTableIsReplaced() throws Exception {
        table("first", "second");
        Path work = MMBENCH.images(folder, folder.resolve("pictures"));
        assertThat(work.resolve("1.jpg")).hasContent("first");
        Files.writeString(work.resolve("2.jpg"), "damaged");
        table("other", "second");
        MMBENCH.images(folder, folder.resolve("pictures"));
        assertThat(work.resolve("1.jpg")).hasContent("other");
        assertThat(work.resolve("2.jpg")).hasContent("second");
    }

    @Test
    void dataUrlsAndLineBreaksAreRead() throws Exception {
        String image = base64("the image");
        rows("data:image/png;base64," + image, image.substring(0, 4) + " " + image.substring(4));
        Path work = MMBENCH.images(folder, folder.resolve("pictures"));
        assertThat(work.resolve("1.jpg")).hasContent("the image");
        assertThat(work.resolve("2.jpg")).hasContent("the image");
    }

    @Test
    void aRowMayNameTheRowOfItsImageAsASpreadsheetWritesIt() throws Exception {
        rows(base64("the image"), "1.0");
        assertThat(MMBENCH.questions(folder)).extracting(q -> q.image()).containsOnly("1.jpg");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            77 | row 2 takes its image from row 77, which is not in the table
            2  | row 2, column image: names row 2, but row 2 takes its image from here
            '' | row 2, column image: is empty
            ?? | row 2, column image: is not base64
            """)
    void anUnusableImageIsNamedByItsRowAndLeavesNoFile(String second, String message) throws Exception {
        table("first", "second");
        MMBENCH.images(folder, folder.resolve("pictures"));
        rows(base64("first"), second);
        assertThatThrownBy(() -> MMBENCH.images(folder, folder.resolve("pictures")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(message);
        List<DataException> problems = new ArrayList<>();
        MMBENCH.images(folder, folder.resolve("pictures"), problems::add);
        assertThat(problems).hasSize(1);
        assertThat(folder.resolve("pictures")
                        .resolve(String.valueOf(
                                MMBENCH.questions(folder).getLast().image())))
                .doesNotExist();
        assertThat(folder.resolve("pictures/1.jpg")).hasContent("first");
    }

    private void table(String first, String second) throws Exception {
        rows(base64(first), base64(second));
    }

    private void rows(String first, String second) throws Exception {
        Files.writeString(
                folder.resolve("mmbench_dev_20230712.tsv"),
                "index\tquestion\tA\tB\tanswer\timage\n1\tQ?\tx\ty\tA\t%s\n2\tR?\tx\ty\tB\t%s\n"
                        .formatted(first, second));
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
