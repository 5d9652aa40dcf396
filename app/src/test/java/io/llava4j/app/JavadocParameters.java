package io.llava4j.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the Javadoc of a record says of its components, as Markdown. */
final class JavadocParameters {
    private static final Pattern PARAMETER = Pattern.compile("@param (\\w+) (.*?)(?=@param|@throws|$)", Pattern.DOTALL);

    private JavadocParameters() {}

    /** Sentences by component. */
    static Map<String, String> of(Class<?> record) throws IOException {
        String source = Files.readString(source(record));
        int declared = source.indexOf("record " + record.getSimpleName() + "(");
        int start = source.lastIndexOf("/**", declared);
        String comment =
                source.substring(start + 3, source.indexOf("*/", start)).replaceAll("\n\\s*\\*", "\n");
        Map<String, String> parameters = new LinkedHashMap<>();
        Matcher matcher = PARAMETER.matcher(comment);
        while (matcher.find()) {
            parameters.put(matcher.group(1), markdown(matcher.group(2)));
        }
        return parameters;
    }

    private static String markdown(String text) {
        return text.strip()
                .replaceAll("\\s+", " ")
                .replaceAll("\\{@(?:code|link) ([^}]*)}", "`$1`")
                .replaceAll("\\(docs/reference/([\\w-]+)\\.md(#[\\w-]+)\\)", "([$1](reference/$1.md$2))");
    }

    private static Path source(Class<?> record) {
        Class<?> outer = record;
        while (outer.getEnclosingClass() != null) {
            outer = outer.getEnclosingClass();
        }
        String file = "src/main/java/" + outer.getName().replace('.', '/') + ".java";
        return List.of("core", "train", "nano").stream()
                .map(module -> Path.of("..", module).resolve(file))
                .filter(Files::exists)
                .findFirst()
                .orElseThrow();
    }
}
