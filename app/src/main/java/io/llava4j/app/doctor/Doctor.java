package io.llava4j.app.doctor;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** All checks, in the order in which they are shown. */
public final class Doctor {
    private Doctor() {}

    /**
     * Checks this machine.
     *
     * @param runs folder that runs will be written to
     * @return one finding per check
     */
    public static List<Finding> examine(Path runs) {
        List<Finding> findings = new ArrayList<>();
        findings.addAll(JvmChecks.examine());
        findings.addAll(EngineChecks.examine());
        List<Finding> machine = MachineChecks.examine();
        findings.addAll(machine);
        findings.addAll(CudaChecks.examine(EngineChecks.isForGpus(), MachineChecks.hasGpu(machine)));
        findings.addAll(StorageChecks.examine(runs));
        findings.add(FontCheck.examine());
        return findings;
    }
}
