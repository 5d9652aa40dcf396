package io.llava4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.train.recipe.FlagAliases;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** docs/from-llava.md lists every flag of LLaVA that a recipe takes, with its key. */
class FlagTableTest {
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `--(\\w+)` \\| `([\\w.-]+)` \\|$");

    @Test
    void tableIsThatOfTheCode() throws IOException {
        Map<String, String> table = new TreeMap<>();
        Matcher row = ROW.matcher(Files.readString(Path.of("../docs/from-llava.md")));
        while (row.find()) {
            table.put(row.group(1), row.group(2));
        }
        Map<String, String> code = new TreeMap<>();
        for (String flag : FlagAliases.LLAVA.names()) {
            code.put(flag, FlagAliases.LLAVA.keyOf(flag).orElseThrow());
        }
        assertThat(table).isEqualTo(code);
    }
}
