package io.llava4j.tensor.collective;

import java.time.Duration;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.Backend;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.global.torch_gloo;
import org.bytedeco.pytorch.nccl.ProcessGroupNCCL;

/** The engine's transports: Gloo between CPUs, NCCL between GPUs. */
final class Backends {
    /** Names the network interface of Gloo, as PyTorch reads it. */
    private static final String INTERFACE = "GLOO_SOCKET_IFNAME";

    private Backends() {}

    static Backend of(Rank rank, Rendezvous rendezvous, Device device, Duration timeout) {
        return device.is_cuda() ? nccl(rank, rendezvous, timeout) : gloo(rank, rendezvous, timeout);
    }

    private static Backend gloo(Rank rank, Rendezvous rendezvous, Duration timeout) {
        Loader.load(torch_gloo.class);
        String network = System.getenv(INTERFACE);
        GlooDeviceVector devices = new GlooDeviceVector();
        devices.push_back(
                network == null
                        ? ProcessGroupGloo.createDeviceForHostname(
                                rendezvous.ownAddress().getHostAddress())
                        : ProcessGroupGloo.createDeviceForInterface(network));
        ProcessGroupGloo.Options options = ProcessGroupGloo.Options.create(SharedStore.millis(timeout));
        options.devices(devices);
        return new ProcessGroupGloo(
                new PrefixStore("gloo", rendezvous.store()), rank.rank(), rank.worldSize(), options);
    }

    private static Backend nccl(Rank rank, Rendezvous rendezvous, Duration timeout) {
        ProcessGroupNCCL.Options options = ProcessGroupNCCL.Options.create();
        options.timeout(SharedStore.millis(timeout));
        return new ProcessGroupNCCL(
                new PrefixStore("nccl", rendezvous.store()), rank.rank(), rank.worldSize(), options);
    }
}
