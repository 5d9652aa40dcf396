package io.llava4j.train.launch;

import io.llava4j.ConfigException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An address as {@code --rendezvous} names it.
 *
 * @param host name or IPv4 address, or IPv6 address without brackets
 * @param port from 1 to 65535
 */
public record HostPort(String host, int port) {
    private static final Pattern FORM = Pattern.compile("\\[([0-9A-Fa-f:.%]+)]:(\\d{1,5})|([^\\s:\\[\\]]+):(\\d{1,5})");

    /**
     * Reads {@code HOST:PORT}, or {@code [IPV6]:PORT}.
     *
     * @throws ConfigException if it is neither
     */
    public static HostPort parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (matcher.matches()) {
            boolean six = matcher.group(1) != null;
            int port = Integer.parseInt(matcher.group(six ? 2 : 4));
            if (port >= 1 && port <= 65_535) {
                return new HostPort(matcher.group(six ? 1 : 3), port);
            }
        }
        throw new ConfigException(
                "the rendezvous is '%s'; write HOST:PORT, for example node0:29500, with a port from 1 to 65535"
                        .formatted(text));
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
