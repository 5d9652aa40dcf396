package io.llava4j.train.data.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.Policy;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A quotation mark that begins a TSV field without enclosing it is text. */
class TabbedQuotesTest {
    @TempDir
    Path dir;

    /** An apostrophe stands for a quotation mark, a bar for a tab, a slash for a line end. */
    @ParameterizedTest
    @CsvSource(delimiter = '>', quoteCharacter = '~', textBlock = """
            a|b > a|b
            'a'|'b''c' > 'a'|'b''c'
            'Stop' is|b > '''Stop'' is'|b
            a|'x' and 'y' > a|'''x'' and ''y'''
            a 5' mark|b > a 5' mark|b
            'two/lines'|'x' y > 'two/lines'|'''x'' y'
            'with|tab'|c > 'with|tab'|c
            ''|'' > ''|''
            """)
    void onlyFieldsThatAreNotEnclosedChange(String text, String expected) throws Exception {
        StringWriter out = new StringWriter();
        new TabbedQuotes(new StringReader(written(text))).transferTo(out);
        assertThat(out.toString()).isEqualTo(written(expected));
    }

    private static String written(String text) {
        return text.replace('\'', '"').replace('|', '\t').replace('/', '\n') + "\r\n";
    }

    @Test
    void everySoundRowIsTaken() throws Exception {
        Path file = Files.writeString(dir.resolve("t.tsv"), """
                image\tquestion\tanswer
                a.jpg\t"Stop" is written where?\ton the sign
                a.jpg\tWhat shape?\t"round"
                a.jpg\tNo answer?\t
                a.jpg\tWhat does the 5" mark say?\tfive
                """);
        try (LlavaData data = LlavaFiles.read(file, Policy.SKIP)) {
            assertThat(data.records().getFirst().turns())
                    .extracting(turn -> turn.text())
                    .contains("<image>\n\"Stop\" is written where?", "round", "What does the 5\" mark say?", "five");
            assertThat(data.skipped())
                    .singleElement()
                    .satisfies(skipped -> assertThat(skipped.reason())
                            .isEqualTo("line 4, column answer: the field is empty; fill it or remove the line"));
        }
    }
}
