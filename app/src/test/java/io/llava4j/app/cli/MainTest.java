package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.DataException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class MainTest {
    @TempDir
    Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void helpShowsEveryVerbInAGroup() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString())
                .contains("Inference:", "Checkpoints:", "Evaluation:")
                .doesNotContain("Commands:");
        for (String verb : Main.commandLine().getSubcommands().keySet()) {
            assertThat(out.toString()).containsPattern("(?m)^  " + verb + " +\\S.*\\.$");
        }
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void everyVerbHasHelp() {
        for (String verb : Main.commandLine().getSubcommands().keySet()) {
            assertThat(run(verb, "--help")).isZero();
            assertThat(out.toString()).contains("Usage: llava " + verb);
        }
    }

    /** The table of the README lists every verb, with the verbs of data, bench and models, and none that does not exist. */
    @Test
    void readmeListsEveryVerb() throws IOException {
        Set<String> expected = new TreeSet<>();
        Main.commandLine().getSubcommands().forEach((verb, line) -> {
            if (line.getSubcommands().isEmpty() || verb.equals("models")) { // which lists by itself
                expected.add(verb);
            }
            line.getSubcommands().keySet().forEach(second -> expected.add(verb + " " + second));
        });
        String readme = Files.readString(Path.of("../README.md"));
        Set<String> listed = new TreeSet<>();
        Matcher row = Pattern.compile("(?m)^\\| `((?:data |bench |models )?[a-z-]+)[ `]")
                .matcher(readme.substring(readme.indexOf("## Verbs"), readme.indexOf("## Documentation")));
        while (row.find()) {
            listed.add(row.group(1));
        }
        assertThat(listed).isEqualTo(expected);
    }

    @Test
    void versionNamesVersionCommitAndJdk() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString())
                .containsPattern("^llava4j \\d+\\.\\d+\\.\\d+\\S* \\(commit \\S+\\)")
                .contains("JDK " + Runtime.version())
                .doesNotContain("${");
    }

    @Test
    void misspelledVerbIsAUsageErrorWithTheNearestName() {
        assertThat(run("verfy", "x")).isEqualTo(2);
        assertThat(err.toString())
                .isEqualTo("llava: there is no verb 'verfy'; did you mean verify? Try 'llava --help'.%n".formatted());
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void misspelledOptionIsAUsageErrorWithTheNearestName() {
        assertThat(run("verify", "--jsn", "x")).isEqualTo(2);
        assertThat(err.toString()).contains("'--jsn'").contains("did you mean --json?");
        assertThat(err.toString().lines()).hasSize(1);
    }

    @Test
    void missingVerbIsAUsageError() {
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString()).isEqualTo("llava: a verb is missing. Try 'llava --help'.%n".formatted());
    }

    @Test
    void missingFolderIsOneSentence() {
        assertThat(run("verify", dir.resolve("nowhere").toString())).isEqualTo(1);
        assertThat(err.toString()).startsWith("llava: cannot verify ").contains("nowhere: there is no such folder");
        assertThat(err.toString().lines()).hasSize(1);
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void emptyFolderIsAnError() {
        assertThat(run("verify", dir.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("holds reference data of a known kind");
    }

    @Test
    void ourOwnErrorIsOneLine() {
        assertThat(run("fail", "own")).isEqualTo(1);
        assertThat(err.toString()).isEqualTo("llava: record 7 of a.json has no answer; remove it%n".formatted());
    }

    @Test
    void anyOtherErrorIsCalledInternalAndPointsToDebug() {
        assertThat(run("fail", "bug")).isEqualTo(1);
        assertThat(err.toString())
                .startsWith("llava: internal error: ")
                .contains("boom")
                .contains("--debug");
        assertThat(err.toString().lines()).hasSize(1);
    }

    @Test
    void debugShowsTheStackBeforeOrAfterTheVerb() {
        assertThat(run("--debug", "fail", "bug")).isEqualTo(1);
        assertThat(err.toString()).contains("\tat io.llava4j.app.cli.MainTest$Fail");
        assertThat(run("fail", "bug", "--debug")).isEqualTo(1);
        assertThat(err.toString()).contains("\tat io.llava4j.app.cli.MainTest$Fail");
    }

    private int run(String... args) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        CommandLine commandLine = Main.commandLine();
        if (args.length > 0 && String.join(" ", args).contains("fail")) {
            commandLine.addSubcommand(new Fail());
        }
        return commandLine
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(args);
    }

    @Command(name = "fail")
    static final class Fail implements Runnable {
        @CommandLine.Parameters
        String kind = "";

        @Override
        public void run() {
            if (kind.equals("own")) {
                throw new DataException("record 7 of a.json has no answer; remove it");
            }
            throw new IllegalStateException("boom");
        }
    }
}
