package io.llava4j.app.cli;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Options of a verb that are not on the command line come from the environment: {@code LLAVA_} and the option's name in
 * capitals, such as {@code LLAVA_MAX_IMAGES} for {@code --max-images}.
 */
final class EnvironmentDefaults implements IDefaultValueProvider {
    private static final String PREFIX = "LLAVA_";

    /** The kernels read their own variable; the others are no settings. */
    private static final Set<String> OTHERS = Set.of("--kernels", "--help", "--version", "--debug");

    private final Map<String, String> environment;

    EnvironmentDefaults(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        return argument instanceof OptionSpec option && !OTHERS.contains(option.longestName())
                ? environment.get(variable(option))
                : null;
    }

    private static String variable(OptionSpec option) {
        String name = option.longestName().replaceFirst("^-+", "");
        return PREFIX + name.replace('-', '_').toUpperCase(Locale.ROOT);
    }
}
