package io.llava4j.tensor.collective;

import io.llava4j.ConfigException;
import java.net.InetAddress;
import java.time.Duration;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.Backend;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.global.torch_gloo;
import org.bytedeco.pytorch.global.torch_nccl;
import org.bytedeco.pytorch.nccl.ProcessGroupNCCL;

/** The engine's transports: Gloo between CPUs, NCCL between GPUs. */
final class Backends {
    /** Names the network interface of Gloo, as PyTorch reads it. */
    private static final String INTERFACE = "GLOO_SOCKET_IFNAME";

    private Backends() {}

    static Backend of(Rank rank, Rendezvous rendezvous, Device device, Duration timeout) {
        Store store = rendezvous.forBackend(device.is_cuda() ? "nccl" : "gloo");
        try {
            return device.is_cuda() ? nccl(rank, store, timeout) : gloo(rank, store, rendezvous.ownAddress(), timeout);
        } finally {
            store.releaseReference(); // the backend keeps its own
        }
    }

    /**
     * Loads NCCL's bindings, whose classes inherit from those of CUDA.
     *
     * @throws ConfigException if this build or this machine does not have them
     */
    static void loadNccl() {
        try {
            Loader.load(torch_nccl.class);
        } catch (LinkageError | TypeNotPresentException e) {
            throw new ConfigException(
                    "NCCL, which exchanges tensors between GPUs, cannot be loaded: " + e.getMessage()
                            + "; build with -Dnative.platform=linux-x86_64-gpu and install what llava doctor asks for",
                    e);
        }
    }

    private static Backend gloo(Rank rank, Store store, InetAddress own, Duration timeout) {
        Loader.load(torch_gloo.class);
        String network = System.getenv(INTERFACE);
        GlooDeviceVector devices = new GlooDeviceVector();
        devices.push_back(
                network == null
                        ? ProcessGroupGloo.createDeviceForHostname(own.getHostAddress())
                        : ProcessGroupGloo.createDeviceForInterface(network));
        ProcessGroupGloo.Options options = ProcessGroupGloo.Options.create(SharedStore.millis(timeout));
        options.devices(devices);
        return new ProcessGroupGloo(store, rank.rank(), rank.worldSize(), options);
    }

    private static Backend nccl(Rank rank, Store store, Duration timeout) {
        loadNccl();
        ProcessGroupNCCL.Options options = ProcessGroupNCCL.Options.create();
        options.timeout(SharedStore.millis(timeout));
        return new ProcessGroupNCCL(store, rank.rank(), rank.worldSize(), options);
    }
}
