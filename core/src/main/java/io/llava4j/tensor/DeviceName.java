package io.llava4j.tensor;

import io.llava4j.ConfigException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a device, which is read without the engine: models answer on the CPU without it.
 *
 * @param isCpu whether it is the CPU, rather than a GPU
 * @param index of the GPU
 */
public record DeviceName(boolean isCpu, int index) {
    private static final Pattern NAME = Pattern.compile("cpu|cuda(?::(\\d{1,2}))?");

    /**
     * Reads a name.
     *
     * @param name {@code cpu}, {@code cuda} or {@code cuda:N}
     * @throws ConfigException if it is unknown
     */
    public static DeviceName parse(String name) {
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new ConfigException("device '" + name + "' is unknown; use cpu or cuda:N");
        }
        String index = matcher.group(1);
        return new DeviceName(name.equals("cpu"), index == null ? 0 : Integer.parseInt(index));
    }
}
