package io.llava4j.app.cli;

import io.llava4j.app.chat.ChatLoop;
import io.llava4j.app.chat.ChatSession;
import io.llava4j.app.chat.LineSource;
import io.llava4j.app.chat.ShownImage;
import io.llava4j.app.terminal.StopSignal;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code llava chat}: a conversation in the terminal, or with lines from a pipe. */
@Command(name = "chat", description = "Chat with a model about images, in several turns.")
final class ChatCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private DecodingOptions decoding = new DecodingOptions();

    @Option(
            names = {"-i", "--image"},
            paramLabel = "PATH",
            description = "An image for the first question, a file or a data URL; repeat it for several. "
                    + "/image PATH adds one later.")
    private List<String> images = List.of();

    private ChatCommand() {}

    @Override
    public Integer call() {
        GenerationOptions options = decoding.checked(spec);
        List<ShownImage> first = images.stream()
                .map(name -> new ShownImage(name, ImageArgument.decode(name, model.orientation())))
                .toList();
        try (LlavaPipeline pipeline = model.open()) {
            ChatSession session = new ChatSession(pipeline, options);
            first.forEach(session::add);
            // A pipe or a file is read as it is; a line editor would echo it.
            if (System.console() != null && System.console().isTerminal()) {
                onTerminal(session);
            } else {
                onPipe(session);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return CommandLine.ExitCode.OK;
    }

    private void onTerminal(ChatSession session) throws IOException {
        try (Terminal terminal =
                TerminalBuilder.builder().system(true).dumb(true).build()) {
            LineReader reader = LineReaderBuilder.builder()
                    .terminal(terminal)
                    .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // '!' is no history reference
                    .build();
            terminal.writer().println("Ask, or type /help.");
            run(session, prompt -> read(reader, prompt), terminal.writer(), terminal.writer());
        }
    }

    private void onPipe(ChatSession session) throws IOException {
        BufferedReader reader = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        LineSource lines = prompt -> {
            try {
                return reader.readLine();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
        run(session, lines, spec.commandLine().getOut(), spec.commandLine().getErr());
    }

    private void run(ChatSession session, LineSource lines, PrintWriter out, PrintWriter err) {
        ChatLoop.Interruptible interruptible = work -> {
            try (StopSignal stop = new StopSignal(err, "this word")) {
                work.accept(stop);
            }
        };
        new ChatLoop(session, lines, out, err, interruptible, file -> ImageArgument.decode(file, model.orientation()))
                .run();
        out.flush();
    }

    /** Ctrl-C drops the line that is being typed, Ctrl-D ends the chat. */
    private static @Nullable String read(LineReader reader, String prompt) {
        while (true) {
            try {
                return reader.readLine(prompt);
            } catch (UserInterruptException e) {
                reader.getTerminal().writer().println("(Ctrl-D or /exit to leave)");
            } catch (EndOfFileException e) {
                return null;
            }
        }
    }
}
