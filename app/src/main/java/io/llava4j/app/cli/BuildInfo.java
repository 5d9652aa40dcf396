package io.llava4j.app.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** Version and commit of the build, and the JVM that runs it. */
public final class BuildInfo implements IVersionProvider {
    private static final String RESOURCE = "/io/llava4j/app/build.properties";

    /** Reads nothing yet. */
    public BuildInfo() {}

    @Override
    public String[] getVersion() {
        Properties build = read();
        return new String[] {
            "llava4j " + build.getProperty("version") + " (commit " + build.getProperty("commit") + ")",
            "JDK " + Runtime.version() + " (" + System.getProperty("java.vendor") + ", "
                    + System.getProperty("java.home") + ")",
            System.getProperty("os.name") + " " + System.getProperty("os.arch")
        };
    }

    /** The version of this program. */
    static String version() {
        return read().getProperty("version");
    }

    private static Properties read() {
        Properties build = new Properties();
        try (InputStream in = BuildInfo.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCE + " is not on the class path");
            }
            build.load(in);
            return build;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
