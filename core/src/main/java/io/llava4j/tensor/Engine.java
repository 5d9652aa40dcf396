package io.llava4j.tensor;

import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * The tensor engine (libtorch), loaded once per process and only if tensors are needed.
 *
 * <p>Every computation runs inside {@link #scope} or {@link #inference}, which free native memory at the end and turn C++
 * errors into one sentence.
 */
public final class Engine {
    private static final Object LOADING = new Object();
    private static boolean loaded;

    private Engine() {}

    /**
     * Loads the native libraries, once.
     *
     * @throws LlavaException if this platform has no natives or they cannot be unpacked
     */
    public static void load() {
        synchronized (LOADING) {
            if (loaded) {
                return;
            }
            String platform = Loader.getPlatform();
            try {
                unpack(platform);
                // Without it libtorch warns, whatever TORCH_CPP_LOG_LEVEL says: of every convolution, where NNPACK does
                // not run.
                torch.initLogging();
                torch.set_num_threads(defaultThreads());
            } catch (IOException | LinkageError e) {
                throw new LlavaException(
                        "the tensor engine cannot be loaded on " + platform + ": " + firstLine(e)
                                + "; supported are the platforms whose org.bytedeco:pytorch natives are on the class"
                                + " path (build with -Dnative.platform=" + platform + ")",
                        e);
            }
            loaded = true;
        }
    }

    /**
     * Unpacks the natives before the first use of a torch class and under a lock between processes. Otherwise, on a cold
     * cache, the system's libtorch could be loaded instead, and two processes that unpack at once crash.
     */
    private static void unpack(String platform) throws IOException {
        Path cache = Loader.getCacheDir().toPath();
        Files.createDirectories(cache);
        try (FileChannel channel = FileChannel.open(
                        cache.resolve(".llava4j.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            for (String library : new String[] {"openblas", "pytorch"}) {
                String folder = "/org/bytedeco/" + library + "/" + platform;
                // A build for GPUs has them in a folder of its own.
                if (Loader.cacheResources(folder + "/").length == 0
                        && Loader.cacheResources(folder + "-gpu/").length == 0) {
                    throw new IOException("no " + library + " natives for it are on the class path");
                }
            }
            // Of NCCL, where the build is for GPUs.
            Loader.cacheResources("/org/bytedeco/cuda/" + platform + "/");
            Loader.load(torch.class);
        }
    }

    private static int defaultThreads() {
        return Runtime.getRuntime().availableProcessors();
    }

    /**
     * Sets the number of threads of one operation: of the engine for the current thread, of its BLAS for all threads.
     *
     * @param threads at least 1; 0 for one per processor
     */
    public static void setThreads(int threads) {
        load();
        int each = threads == 0 ? defaultThreads() : threads;
        torch.set_num_threads(each);
        // libtorch does not pass the number on to OpenBLAS, which has its own threads.
        openblas_nolapack.blas_set_num_threads(each);
    }

    /** Number of threads of one operation in the current thread. */
    public static int threads() {
        load();
        return torch.get_num_threads();
    }

    /**
     * The device of that name.
     *
     * @param name {@code cpu}, {@code cuda} or {@code cuda:N}
     * @throws ConfigException if the name is unknown or the machine has no such device
     */
    public static Device device(String name) {
        DeviceName device = DeviceName.parse(name);
        load();
        if (device.isCpu()) {
            return new Device(torch.DeviceType.CPU);
        }
        if (!torch.cuda_is_available()) {
            throw new ConfigException("device '" + name
                    + "' was asked for, but this build of the engine sees no CUDA device; use --device cpu, or build"
                    + " with -Dnative.platform=" + Loader.getPlatform() + "-gpu and install CUDA");
        }
        return new Device(torch.DeviceType.CUDA, (byte) device.index());
    }

    /** One line about the engine: version and threads. */
    public static String describe() {
        load();
        String version = torch.class.getPackage().getImplementationVersion();
        return "libtorch " + (version == null ? "" : version + " ") + "on " + Loader.getPlatform() + ", "
                + torch.get_num_threads() + " threads";
    }

    /**
     * Runs a computation and frees all its tensors at the end.
     *
     * @param what name of the computation in error messages
     * @param work the computation; its result must not be a tensor of this scope
     */
    public static <T extends @Nullable Object> T scope(String what, Supplier<T> work) {
        load();
        try (PointerScope scope = new PointerScope()) {
            return work.get();
        } catch (LlavaException e) {
            throw e;
        } catch (RuntimeException e) {
            // C++ exceptions arrive as plain RuntimeExceptions; anything more specific is a bug in llava4j.
            if (e.getClass() != RuntimeException.class) {
                throw e;
            }
            throw new LlavaException("the tensor engine failed in " + what + ": " + firstLine(e), e);
        }
    }

    /** {@link #scope} without gradients. */
    public static <T extends @Nullable Object> T inference(String what, Supplier<T> work) {
        return scope(what, () -> {
            try (NoGradGuard guard = new NoGradGuard()) {
                return work.get();
            }
        });
    }

    /**
     * Runs a part of a computation, such as one block of a network, and frees all its tensors except the result. With
     * gradients, the engine itself keeps the tensors that the backward pass needs.
     *
     * @param work the part; called within a scope
     * @return the result, which belongs to the surrounding scope
     */
    public static Tensor freeingIntermediates(Supplier<Tensor> work) {
        PointerScope around = PointerScope.getInnerScope();
        try (PointerScope part = new PointerScope()) {
            Tensor result = work.get();
            around.attach(result);
            return result;
        }
    }

    private static String firstLine(Throwable e) {
        String message = e.getMessage();
        return message == null
                ? e.getClass().getSimpleName()
                : message.lines().findFirst().orElse("");
    }
}
