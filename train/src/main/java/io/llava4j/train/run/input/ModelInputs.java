package io.llava4j.train.run.input;

import io.llava4j.LlavaException;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.io.FileErrors;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Fingerprints of the model that a run starts from: of the weights of each part, whatever their files, and of the tokenizer. */
public final class ModelInputs {
    private static final List<String> TOKENIZER_FILES =
            List.of("tokenizer.model", "tokenizer.json", "added_tokens.json", "tokenizer_config.json");

    private ModelInputs() {}

    /**
     * Fingerprints of a model before its first step, with its tokenizer.
     *
     * @param weights by canonical name
     * @param tokenizer its folder or file
     * @throws LlavaException if the tokenizer cannot be read
     */
    public static RunInputs of(Weights weights, Path tokenizer) {
        return of(weights).and(new RunInputs(Map.of("tokenizer", tokenizer(tokenizer))));
    }

    /**
     * As {@link #of(Weights, Path)}, of weights that the network does not read as they are yet, and that may be in their files.
     *
     * @param trainable names of those that it will read in {@code precision}
     */
    public static RunInputs of(
            Weights weights, Predicate<String> trainable, ComputePrecision precision, Path tokenizer) {
        return of(weights, (name, tensor) -> trainable.test(name) ? tensor.to(Tensors.type(precision)) : tensor)
                .and(new RunInputs(Map.of("tokenizer", tokenizer(tokenizer))));
    }

    /**
     * Fingerprints of weights before the first step. A tensor counts with the sums of the bits of its two halves, which
     * are exact in any order and read all of it once.
     *
     * @param weights by canonical name
     */
    public static RunInputs of(Weights weights) {
        return of(weights, (name, tensor) -> tensor);
    }

    private static RunInputs of(Weights weights, BiFunction<String, Tensor, Tensor> read) {
        Map<String, Digest> digests = new LinkedHashMap<>();
        Map<String, Long> counts = new LinkedHashMap<>();
        for (String name : new TreeSet<>(weights.names())) {
            String part = part(name);
            Tensor tensor = weights.get(name);
            Halves halves = halves(name, weights, read);
            digests.computeIfAbsent(part, key -> new Digest())
                    .add(name)
                    .add(Arrays.toString(Tensors.shape(tensor)))
                    .add(halves.first())
                    .add(halves.second());
            counts.merge(part, tensor.numel(), Long::sum);
        }
        Map<String, RunInputs.Fingerprint> fingerprints = new LinkedHashMap<>();
        digests.forEach((part, digest) -> fingerprints.put(
                "weights of the " + part,
                new RunInputs.Fingerprint(Objects.requireNonNull(counts.get(part)), digest.hex())));
        return new RunInputs(fingerprints);
    }

    private static String part(String name) {
        if (name.startsWith(CanonicalNames.PROJECTOR)) {
            return "projector";
        }
        return name.startsWith(CanonicalNames.TOWER) ? "vision tower" : "language model";
    }

    /** Sums of the bits of a tensor's halves. */
    private record Halves(long first, long second) {}

    private static Halves halves(String name, Weights weights, BiFunction<String, Tensor, Tensor> read) {
        return Engine.inference("a fingerprint of the weights", () -> {
            Tensor tensor = read.apply(name, weights.read(name).detach());
            long elements = tensor.numel();
            Tensor flat = tensor.reshape(elements);
            return new Halves(
                    sumOfBits(flat.narrow(0, 0, elements / 2)),
                    sumOfBits(flat.narrow(0, elements / 2, elements - elements / 2)));
        });
    }

    private static long sumOfBits(Tensor elements) {
        return Engine.scope(
                "a fingerprint of the weights",
                () -> elements.to(torch.ScalarType.Float)
                        .view(torch.ScalarType.Int)
                        .sum()
                        .item_long());
    }

    private static RunInputs.Fingerprint tokenizer(Path tokenizer) {
        Path folder = Files.isDirectory(tokenizer)
                ? tokenizer
                : Objects.requireNonNull(tokenizer.toAbsolutePath().getParent());
        Digest digest = new Digest();
        int count = 0;
        for (String name : TOKENIZER_FILES) {
            Path file = folder.resolve(name);
            try {
                if (Files.exists(file)) {
                    digest.add(name).add(Files.readAllBytes(file));
                    count++;
                }
            } catch (IOException e) {
                throw FileErrors.cannotRead(file, e);
            }
        }
        return new RunInputs.Fingerprint(count, digest.hex());
    }
}
