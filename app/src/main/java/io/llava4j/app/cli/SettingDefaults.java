package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * Options of a verb that are not on the command line come from the environment, else from the settings file that {@code --config}
 * names. The environment has {@code LLAVA_} and the option's name in capitals, such as {@code LLAVA_MAX_IMAGES} for
 * {@code --max-images}; the file has the name without its dashes, {@code max-images: 8}.
 */
final class SettingDefaults implements IDefaultValueProvider {
    private static final String PREFIX = "LLAVA_";
    private static final String CONFIG = "--config";

    /** The kernels read their own variable; the others are no settings. */
    private static final Set<String> NOT_IN_ENVIRONMENT = Set.of("--kernels", "--help", "--version", "--debug");

    private static final Set<String> NOT_IN_FILE = Set.of(CONFIG, "--help", "--version", "--debug");

    private final CommandLine verb;
    private final Map<String, String> environment;
    private @Nullable Path read;
    private Map<String, String> file = Map.of();

    SettingDefaults(CommandLine verb, Map<String, String> environment) {
        this.verb = verb;
        this.environment = environment;
    }

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        if (!(argument instanceof OptionSpec option)) {
            return null;
        }
        String variable = fromEnvironment(option);
        return variable != null ? variable : fromFile().get(key(option));
    }

    /** Where the value of an option that was not on the command line comes from; null if it has none. */
    @Nullable
    String origin(ArgSpec argument) {
        if (!(argument instanceof OptionSpec option)) {
            return null;
        }
        if (fromEnvironment(option) != null) {
            return variable(option);
        }
        return file.containsKey(key(option)) ? String.valueOf(read) : null;
    }

    private @Nullable String fromEnvironment(OptionSpec option) {
        return NOT_IN_ENVIRONMENT.contains(option.longestName()) ? null : environment.get(variable(option));
    }

    private Map<String, String> fromFile() {
        CommandSpec spec = verb.getCommandSpec();
        OptionSpec config = spec.findOption(CONFIG);
        Path named = config.getValue();
        if (named == null && fromEnvironment(config) != null) {
            named = Path.of(environment.getOrDefault(variable(config), ""));
        }
        if (named != null && !named.equals(read)) {
            List<String> keys = new ArrayList<>();
            spec.options().stream()
                    .filter(option -> !NOT_IN_FILE.contains(option.longestName()))
                    .forEach(option -> keys.add(key(option)));
            try {
                file = SettingsFile.read(named, keys);
            } catch (ConfigException e) {
                throw new ParameterException(verb, String.valueOf(e.getMessage()), e);
            }
            read = named;
        }
        return named == null ? Map.of() : file;
    }

    private static String key(OptionSpec option) {
        return option.longestName().replaceFirst("^-+", "");
    }

    private static String variable(OptionSpec option) {
        return PREFIX + key(option).replace('-', '_').toUpperCase(Locale.ROOT);
    }
}
