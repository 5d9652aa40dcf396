package io.llava4j.app.cli;

import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.UsageMessageSpec;

/** All verbs of the command, in the groups and the order in which the help shows them. */
final class Verbs {
    private record Group(String title, List<Class<?>> verbs) {}

    private static final List<Group> GROUPS = List.of(
            new Group("Demo", List.of(DemoCommand.class)),
            new Group("Data", List.of(DataCommand.class)),
            new Group("Training", List.of(TrainCommand.class, LaunchCommand.class)),
            new Group(
                    "Inference",
                    List.of(GenerateCommand.class, ChatCommand.class, BatchCommand.class, ServeCommand.class)),
            new Group(
                    "Evaluation",
                    List.of(EvalCommand.class, ScoreCommand.class, PlotCommand.class, AblateCommand.class)),
            new Group(
                    "Checkpoints",
                    List.of(
                            PullCommand.class,
                            ModelsCommand.class,
                            InspectCommand.class,
                            ConvertCommand.class,
                            QuantizeCommand.class,
                            MergeLoraCommand.class)),
            new Group("Installation", List.of(DoctorCommand.class, VerifyCommand.class, BenchCommand.class)));

    private Verbs() {}

    /** Adds every verb to {@code root} and groups them in its help. */
    static void addTo(CommandLine root) {
        for (Group group : GROUPS) {
            group.verbs().forEach(root::addSubcommand);
        }
        root.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST_HEADING, help -> "");
        root.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, Verbs::list);
    }

    private static String list(Help help) {
        Map<String, Help> all = help.subcommands();
        StringBuilder out = new StringBuilder();
        for (Group group : GROUPS) {
            out.append(System.lineSeparator()).append(group.title()).append(':').append(System.lineSeparator());
            for (Class<?> verb : group.verbs()) {
                String name = verb.getAnnotation(CommandLine.Command.class).name();
                Help verbHelp = all.get(name);
                if (verbHelp == null) {
                    throw new IllegalStateException("verb " + name + " is not registered");
                }
                String description =
                        String.join(" ", verbHelp.commandSpec().usageMessage().description());
                out.append("  %-10s %s%n".formatted(name, description));
            }
        }
        return out.toString();
    }
}
