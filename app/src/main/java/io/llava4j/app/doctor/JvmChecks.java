package io.llava4j.app.doctor;

import java.util.List;

/** The JVM and the flags it was started with. */
final class JvmChecks {
    private static final int MINIMUM = 25;

    private JvmChecks() {}

    static List<Finding> examine() {
        return List.of(
                jdk(Runtime.version().feature(), System.getProperty("java.home")),
                nativeAccess(JvmChecks.class.getModule().isNativeAccessEnabled()));
    }

    static Finding jdk(int feature, String home) {
        String detail = Runtime.version() + " in " + home;
        return feature >= MINIMUM
                ? Finding.fine("JDK", detail)
                : Finding.unusable("JDK", detail, "install JDK " + MINIMUM + " or newer and set JAVA_HOME to it");
    }

    static Finding nativeAccess(boolean enabled) {
        return enabled
                ? Finding.fine("JVM flags", "--enable-native-access=ALL-UNNAMED is set")
                : Finding.limited(
                        "JVM flags",
                        "native access is not enabled; this JVM warns, later ones will refuse",
                        "start with ./llava, or add --enable-native-access=ALL-UNNAMED");
    }
}
