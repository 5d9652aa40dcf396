package io.llava4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every page, heading and file that a comment, a recipe or a page of the documentation points to exists. */
class CitationsTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Set<String> SKIPPED_FOLDERS = Set.of("target", "runs", "node_modules");
    private static final Pattern CITATION = Pattern.compile("docs/reference/([\\w-]*)(\\.md)?(#[\\w-]*)?");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("#{1,6} +(.*?)\\s*#*");
    private static final Pattern OUTSIDE =
            Pattern.compile("(^|[\\s(`])spec" + "/[\\w-]+|benchmark " + "notes", Pattern.CASE_INSENSITIVE);

    private static final Pattern CLASS = Pattern.compile("`([A-Z]\\w*[a-z]\\w*)(?:[.(][^`]*)?`");
    private static final Pattern SHORTENED_PATH = Pattern.compile("`(\\w[\\w/]*)/\\.\\.\\./([\\w/]+\\.java)`");

    private static List<Path> files;

    private final Map<Path, Set<String>> anchors = new HashMap<>();

    @BeforeAll
    static void findFiles() throws IOException {
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                String name = folder.getFileName().toString();
                boolean skipped = SKIPPED_FOLDERS.contains(name) || name.startsWith(".") && !folder.equals(ROOT);
                return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (file.toString().matches(".*\\.(java|md|ya?ml)")) {
                    found.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        files = found;
    }

    @Test
    void citedPagesAndSectionsExist() throws IOException {
        List<String> broken = new ArrayList<>();
        int citations = 0;
        for (Path file : files) {
            Matcher cited = CITATION.matcher(Files.readString(file));
            while (cited.find() && !isThisTest(file)) {
                if (cited.group(1).isEmpty() || cited.group(2) == null && cited.group(3) == null) {
                    continue; // the folder, or a pattern such as docs/reference/*.md
                }
                citations++;
                Path page = ROOT.resolve("docs/reference/" + cited.group(1) + ".md");
                String section = cited.group(3) == null ? "" : cited.group(3).substring(1);
                if (cited.group(2) == null || !hasSection(page, section)) {
                    broken.add(ROOT.relativize(file) + ": " + cited.group());
                }
            }
        }
        assertThat(broken).isEmpty();
        assertThat(citations).isGreaterThan(100);
    }

    @Test
    void relativeLinksOfPagesResolve() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path file : files) {
            if (!file.toString().endsWith(".md")) {
                continue;
            }
            Matcher link = LINK.matcher(withoutCode(Files.readString(file)));
            while (link.find()) {
                String target = link.group(1);
                if (target.contains("://") || target.startsWith("mailto:")) {
                    continue;
                }
                int hash = target.indexOf('#');
                String path = hash < 0 ? target : target.substring(0, hash);
                Path page = path.isEmpty() ? file : file.resolveSibling(path).normalize();
                if (!hasSection(page, hash < 0 ? "" : target.substring(hash + 1))) {
                    broken.add(ROOT.relativize(file) + ": " + target);
                }
            }
        }
        assertThat(broken).isEmpty();
    }

    /** Pages about the code name classes in code font; each exists, as do the files they name. */
    @Test
    void namedClassesExist() throws IOException {
        Set<String> classes = new HashSet<>();
        for (Path file : files) {
            classes.add(file.getFileName().toString().replace(".java", ""));
        }
        List<String> broken = new ArrayList<>();
        for (String page : List.of("ARCHITECTURE.md", "CONTRIBUTING.md", "docs/adding.md", "docs/embedding.md")) {
            String text = withoutCode(Files.readString(ROOT.resolve(page)));
            Matcher named = CLASS.matcher(text);
            while (named.find()) {
                if (!classes.contains(named.group(1))) {
                    broken.add(page + ": " + named.group(1));
                }
            }
            Matcher shortened = SHORTENED_PATH.matcher(text);
            while (shortened.find()) {
                Path start = ROOT.resolve(shortened.group(1));
                String end = shortened.group(2);
                if (files.stream().noneMatch(file -> file.startsWith(start) && file.endsWith(end))) {
                    broken.add(page + ": " + shortened.group());
                }
            }
        }
        assertThat(broken).isEmpty();
    }

    @Test
    void nothingCitesPagesOutsideTheRepository() throws IOException {
        List<String> citing = new ArrayList<>();
        for (Path file : files) {
            for (String line : Files.readAllLines(file)) {
                if (OUTSIDE.matcher(line).find() && !isThisTest(file)) {
                    citing.add(ROOT.relativize(file) + ": " + line.strip());
                }
            }
        }
        assertThat(citing).isEmpty();
    }

    @Test
    void headingsBecomeAnchorsAsGitHubMakesThem() {
        assertThat(anchorsOf("# A `--flag` and B/C's\n## Again\n```\n# no heading\n```\n## Again\n"))
                .containsExactlyInAnyOrder("a---flag-and-bcs", "again", "again-1");
    }

    private static boolean isThisTest(Path file) {
        return file.endsWith("CitationsTest.java");
    }

    private boolean hasSection(Path page, String section) throws IOException {
        if (!Files.exists(page)) {
            return false;
        }
        if (section.isEmpty()) {
            return true;
        }
        if (!anchors.containsKey(page)) {
            anchors.put(page, anchorsOf(Files.readString(page)));
        }
        return anchors.getOrDefault(page, Set.of()).contains(section);
    }

    private static Set<String> anchorsOf(String markdown) {
        Set<String> found = new HashSet<>();
        for (String line : withoutCode(markdown).lines().toList()) {
            Matcher heading = HEADING.matcher(line);
            if (heading.matches()) {
                String slug = heading.group(1)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N}\\s_-]", "")
                        .replaceAll("\\s", "-");
                String anchor = slug;
                for (int again = 1; !found.add(anchor); again++) {
                    anchor = slug + "-" + again;
                }
            }
        }
        return found;
    }

    /** The page without its fenced blocks, whose lines are no headings and no links. */
    private static String withoutCode(String markdown) {
        StringBuilder text = new StringBuilder();
        boolean code = false;
        for (String line : markdown.lines().toList()) {
            if (line.strip().startsWith("```")) {
                code = !code;
            } else if (!code) {
                text.append(line).append('\n');
            }
        }
        return text.toString();
    }
}
