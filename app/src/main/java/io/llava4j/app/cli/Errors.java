package io.llava4j.app.cli;

import io.llava4j.LlavaException;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns a failure into one line on stderr and an exit code. */
public final class Errors {
    private Errors() {}

    /** A command line that cannot be understood: prints the reason, the nearest name and where to find help; exit code 2. */
    public static int usage(ParameterException failure, String[] args) {
        CommandLine failed = failure.getCommandLine();
        PrintWriter err = failed.getErr();
        err.println("llava: " + reason(failure) + nearest(failure) + promptHint(failure) + " Try '"
                + failed.getCommandSpec().qualifiedName() + " --help'.");
        return CommandLine.ExitCode.USAGE;
    }

    /** A verb that failed: prints its message, or reports a bug; exit code 1. */
    public static int failure(Exception failure, CommandLine failed, boolean debug) {
        PrintWriter err = failed.getErr();
        if (failure instanceof ParameterException usage) {
            return usage(usage, new String[0]);
        }
        if (failure instanceof LlavaException) {
            err.println("llava: " + failure.getMessage());
        } else {
            err.println("llava: internal error: " + failure + (debug ? "" : "; run again with --debug to see where"));
        }
        if (debug) {
            failure.printStackTrace(err);
        }
        err.flush();
        return CommandLine.ExitCode.SOFTWARE;
    }

    private static String reason(ParameterException failure) {
        boolean verbExpected = !failure.getCommandLine().getSubcommands().isEmpty();
        if (verbExpected && failure instanceof UnmatchedArgumentException unmatched && !unmatched.isUnknownOption()) {
            return "there is no verb '" + unmatched.getUnmatched().getFirst() + "'";
        }
        return oneLine(String.valueOf(failure.getMessage())) + origin(failure);
    }

    /** Where a value stands that is not on the command line. */
    private static String origin(ParameterException failure) {
        if (failure.getArgSpec() == null
                || !(failure.getCommandLine().getDefaultValueProvider() instanceof SettingDefaults settings)) {
            return "";
        }
        String origin = settings.origin(failure.getArgSpec());
        return origin == null ? "" : " (in " + origin + ")";
    }

    private static String nearest(ParameterException failure) {
        if (!(failure instanceof UnmatchedArgumentException unmatched)) {
            return ".";
        }
        List<String> names = unmatched.getSuggestions();
        return names.isEmpty() ? "." : "; did you mean " + names.getFirst() + "?";
    }

    /** A prompt may look like an option. */
    private static String promptHint(ParameterException failure) {
        boolean takesPrompt = failure.getCommandLine().getCommandSpec().positionalParameters().stream()
                .anyMatch(parameter -> parameter.paramLabel().equals("PROMPT"));
        return takesPrompt && failure instanceof UnmatchedArgumentException
                ? " A prompt that begins with - goes after --."
                : "";
    }

    private static String oneLine(String message) {
        return message.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
