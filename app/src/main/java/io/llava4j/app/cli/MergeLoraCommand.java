package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.generate.MergedModel;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code llava merge-lora}: merges a LoRA adapter and its base into a whole model. */
@Command(name = "merge-lora", description = "Merge a LoRA adapter into its base model.")
final class MergeLoraCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(
            paramLabel = "ADAPTER",
            converter = ModelPath.class,
            description = "Folder with adapter_config.json, adapter_model.* and, if other tensors were trained in full,"
                    + " non_lora_trainables.*.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path adapter;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "DIR",
            description = "Folder to write the model to; must not exist yet.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path output;

    @Option(
            names = "--base",
            paramLabel = "DIR",
            converter = ModelPath.class,
            description = "Base model, LLaVA or LLaMA (default: the folder that adapter_config.json names).")
    private @Nullable Path base;

    @Option(
            names = "--vision-tower",
            paramLabel = "DIR",
            converter = ModelPath.class,
            description = "CLIP model, if the base has no vision tower (default: the folder that config.json names).")
    private @Nullable Path visionTower;

    private MergeLoraCommand() {}

    @Override
    public Integer call() {
        try (MergedModel merged = MergedModel.open(adapter, base, visionTower);
                ProgressLine progress = ProgressLine.onStderr("merge", "tensors")) {
            CheckpointWriter.save(
                    output, new ModelKind.Llava(merged.config()), merged.tokenizer(), counted(merged, progress));
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(output);
        out.flush();
        return CommandLine.ExitCode.OK;
    }

    private static List<TensorSource> counted(MergedModel merged, ProgressLine progress) {
        List<TensorSource> tensors = merged.tensors();
        AtomicInteger done = new AtomicInteger();
        progress.update(0, tensors.size());
        List<TensorSource> counted = new ArrayList<>();
        for (TensorSource tensor : tensors) {
            counted.add(new TensorSource(tensor.name(), tensor.dtype(), tensor.shape(), () -> {
                progress.update(done.incrementAndGet(), tensors.size());
                return tensor.data().get();
            }));
        }
        return counted;
    }
}
