package io.llava4j.app.doctor;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** All examinations, in the order in which they are shown. */
public final class Doctor {
    private Doctor() {}

    /**
     * Examines this machine.
     *
     * @param runs where runs are to be written
     * @return a row per examination
     */
    public static List<Finding> examine(Path runs) {
        List<Finding> findings = new ArrayList<>();
        findings.addAll(JvmChecks.examine());
        findings.addAll(EngineChecks.examine());
        findings.addAll(MachineChecks.examine());
        findings.addAll(StorageChecks.examine(runs));
        findings.add(FontCheck.examine());
        return findings;
    }
}
