package io.llava4j.app.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The libraries of the machine that a build for GPUs needs: CUDA, cuDNN and NCCL. Looked at without loading one. */
final class CudaChecks {
    private static final String BUILD =
            "build with mvn -Dnative.platform=linux-x86_64-gpu, which needs CUDA 13.1, cuDNN 9.19 and NCCL 2";

    /** Where the engine's loader and the system's look. */
    private static final List<String> FOLDERS = List.of(
            "/usr/local/cuda-13.1/lib64",
            "/usr/local/cuda/lib64",
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib64",
            "/usr/local/lib",
            "/usr/lib");

    /**
     * A library.
     *
     * @param name for the finding
     * @param file name with its major version, as the engine links it
     * @param minimum oldest version that the engine was built with
     * @param remedy what to install
     */
    record Library(String name, String file, List<Integer> minimum, String remedy) {}

    static final List<Library> LIBRARIES = List.of(
            new Library(
                    "CUDA",
                    "libcudart.so.13",
                    List.of(13, 1),
                    "install CUDA 13.1: apt-get install cuda-toolkit-13-1 from NVIDIA's repository"),
            new Library(
                    "cuDNN",
                    "libcudnn.so.9",
                    List.of(9, 19),
                    "install cuDNN 9.19 for CUDA 13: apt-get install cudnn9-cuda-13 from NVIDIA's repository"),
            new Library(
                    "NCCL",
                    "libnccl.so.2",
                    List.of(2),
                    "install NCCL for CUDA 13: apt-get install libnccl2 from NVIDIA's repository"));

    private CudaChecks() {}

    /** The findings of this machine. */
    static List<Finding> examine(boolean build, boolean card) {
        List<Path> folders = new ArrayList<>();
        String path = System.getenv("LD_LIBRARY_PATH");
        if (path != null) {
            Arrays.stream(path.split(":"))
                    .filter(each -> !each.isEmpty())
                    .map(Path::of)
                    .forEach(folders::add);
        }
        FOLDERS.stream().map(Path::of).forEach(folders::add);
        return examine(build, card, folders);
    }

    /**
     * Nothing without a card and a build for it.
     *
     * @param build whether the engine has natives for GPUs
     * @param card whether the machine has a GPU
     * @param folders searched for libraries, in order
     */
    static List<Finding> examine(boolean build, boolean card, List<Path> folders) {
        if (!build) {
            return card
                    ? List.of(Finding.limited("GPU build", "there is a GPU, but this build computes on the CPU", BUILD))
                    : List.of();
        }
        return LIBRARIES.stream().map(library -> examine(library, folders)).toList();
    }

    private static Finding examine(Library library, List<Path> folders) {
        Optional<Path> found = folders.stream()
                .map(folder -> folder.resolve(library.file()))
                .filter(Files::exists)
                .findFirst();
        if (found.isEmpty()) {
            return Finding.unusable(
                    library.name(),
                    library.file() + " is in none of LD_LIBRARY_PATH and the usual folders",
                    library.remedy() + ", or add its folder to LD_LIBRARY_PATH");
        }
        List<Integer> version = version(found.get());
        String detail = found.get() + (version.isEmpty() ? ", version unknown" : ", version " + dotted(version));
        if (version.isEmpty()) {
            return Finding.limited(library.name(), detail, "make sure that it is " + dotted(library.minimum()));
        }
        return Arrays.compare(ints(version), ints(library.minimum())) >= 0
                ? Finding.fine(library.name(), detail)
                : Finding.unusable(library.name(), detail, library.remedy());
    }

    /** From the name of the file that the library's link points to. */
    private static List<Integer> version(Path library) {
        try {
            String name = library.toRealPath().getFileName().toString();
            Matcher numbers = Pattern.compile(".*\\.so\\.(\\d{1,5}\\.\\d{1,5}(?:\\.\\d{1,5})*)")
                    .matcher(name);
            return numbers.matches()
                    ? Stream.of(numbers.group(1).split("\\."))
                            .map(Integer::valueOf)
                            .toList()
                    : List.of();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static int[] ints(List<Integer> version) {
        return version.stream().mapToInt(Integer::intValue).toArray();
    }

    private static String dotted(List<Integer> version) {
        return String.join(".", version.stream().map(String::valueOf).toList());
    }
}
