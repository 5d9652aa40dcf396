package io.llava4j.checkpoint.gguf;

import io.llava4j.CheckpointException;
import io.llava4j.LlavaException;
import io.llava4j.checkpoint.huggingface.ModelConfigs;
import io.llava4j.checkpoint.layout.GgufNames;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.RopePermutation;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.io.FileErrors;
import io.llava4j.io.MappedMemory;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.format.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The GGUF files of one model: the language model's, and for a LLaVA model a second one with tower and projector
 * (mmproj). Their metadata says which is which.
 */
public final class GgufModel implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GgufModel.class);
    private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

    private final Gguf languageModel;
    private final @Nullable Gguf mmproj;
    private final ModelKind kind;
    private final boolean swappedMlp;

    private GgufModel(Gguf languageModel, @Nullable Gguf mmproj) {
        this.languageModel = languageModel;
        this.mmproj = mmproj;
        TextConfig text = GgufConfigs.text(languageModel);
        this.kind = mmproj == null ? new ModelKind.Llama(text) : new ModelKind.Llava(GgufConfigs.llava(text, mmproj));
        this.swappedMlp = kind instanceof ModelKind.Llava llava && mmproj != null && isSwapped(llava.config(), mmproj);
        languageModel.narrowTypes().ifPresent(LOG::info);
        if (mmproj != null) {
            mmproj.narrowTypes().ifPresent(LOG::info);
        }
    }

    /** Old converters called CLIP's first MLP matrix ffn_down; the length of its bias shows it. */
    private static boolean isSwapped(LlavaConfig config, Gguf mmproj) {
        Gguf.Entry bias = mmproj.tensors().get(GgufNames.FIRST_MLP_BIAS);
        int hidden = config.vision().hiddenSize();
        return bias != null && hidden != config.vision().intermediateSize() && bias.elements() == hidden;
    }

    /** Whether a path is a GGUF file, or a folder with GGUF files and no model of another format. */
    public static boolean isAt(Path path) {
        return Files.isDirectory(path)
                ? !Files.exists(path.resolve(ModelConfigs.FILE))
                        && !filesIn(path).isEmpty()
                : Gguf.is(path);
    }

    private static List<Path> filesIn(Path directory) {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.sorted().filter(Gguf::is).toList();
        } catch (IOException e) {
            throw FileErrors.cannotRead(directory, e);
        }
    }

    /**
     * Opens the files of a folder, or the language model's file that is named. What is named is what is read: beside a
     * named file only a tower's file is looked for, and whatever else lies there does not matter.
     *
     * @param mmproj file of the tower and projector; null takes the one in the same folder
     * @throws CheckpointException if it is not clear which files belong together, or a file cannot be used
     */
    public static GgufModel open(Path path, @Nullable Path mmproj) {
        List<Gguf> opened = new ArrayList<>();
        GgufModel model = null;
        try {
            boolean directory = Files.isDirectory(path);
            Gguf languageModel = directory ? null : open(path, opened);
            if (languageModel != null) {
                requireArchitecture(languageModel, GgufConfigs.LLAMA);
            }
            List<Gguf> languageModels = new ArrayList<>();
            List<Gguf> towers = new ArrayList<>();
            if (mmproj != null) {
                towers.add(tower(mmproj, opened));
            }
            if (directory) {
                for (Path file : filesIn(path)) {
                    if (mmproj != null && isTowerFile(file) || isLaterPart(file)) {
                        continue;
                    }
                    Gguf gguf = open(file, opened);
                    (architecture(gguf).equals(GgufConfigs.CLIP) ? towers : languageModels).add(gguf);
                }
            } else if (mmproj == null) {
                towers.addAll(towersBeside(path, opened));
            }
            if (languageModel == null) {
                languageModel = only(path, languageModels, "language model", "name one of them")
                        .orElseThrow(() -> new CheckpointException(
                                "%s holds a tower and projector in GGUF but no language model; put its file beside them"
                                        .formatted(path)));
                requireArchitecture(languageModel, GgufConfigs.LLAMA);
            }
            model = new GgufModel(
                    languageModel,
                    only(path, towers, "vision tower (mmproj)", "name one with --mmproj")
                            .orElse(null));
            return model;
        } finally {
            for (Gguf file : opened) {
                if (model == null || file != model.languageModel && file != model.mmproj) {
                    file.close();
                }
            }
        }
    }

    private static Gguf tower(Path mmproj, List<Gguf> opened) {
        if (!Gguf.is(mmproj)) {
            throw new CheckpointException(
                    "%s is no GGUF file%s".formatted(mmproj, Files.exists(mmproj) ? "" : ": it does not exist"));
        }
        Gguf gguf = open(mmproj, opened);
        if (!architecture(gguf).equals(GgufConfigs.CLIP)) {
            throw gguf.metadata().bad(GgufMetadata.ARCHITECTURE, "a tower's file, \"" + GgufConfigs.CLIP + "\"");
        }
        return gguf;
    }

    /** Towers in the folder of a language model's file; a damaged file counts only where it is called a tower's. */
    private static List<Gguf> towersBeside(Path path, List<Gguf> opened) {
        List<Gguf> towers = new ArrayList<>();
        CheckpointException damaged = null;
        for (Path file : filesIn(Objects.requireNonNull(path.toAbsolutePath().getParent()))) {
            try {
                if (isArchitecture(file, GgufConfigs.CLIP)) {
                    towers.add(open(file, opened));
                }
            } catch (LlavaException e) {
                damaged = isTowerFile(file) ? new CheckpointException(String.valueOf(e.getMessage()), e) : damaged;
            }
        }
        if (towers.isEmpty() && damaged != null) {
            throw damaged;
        }
        return towers;
    }

    /** Whether a file is read with the first part of its model, which lies beside it. */
    private static boolean isLaterPart(Path file) {
        try (Gguf gguf = Gguf.open(file)) {
            return GgufSplit.isLater(gguf) && Files.exists(GgufSplit.firstOf(gguf));
        }
    }

    private static boolean isArchitecture(Path file, String wanted) {
        try (Gguf gguf = Gguf.open(file)) {
            return architecture(gguf).equals(wanted);
        }
    }

    private static boolean isTowerFile(Path file) {
        return file.getFileName().toString().toLowerCase(Locale.ROOT).contains("mmproj");
    }

    private static Gguf open(Path file, List<Gguf> opened) {
        Gguf gguf = GgufSplit.open(file);
        opened.add(gguf);
        return gguf;
    }

    private static String architecture(Gguf gguf) {
        return gguf.metadata().string(GgufMetadata.ARCHITECTURE).orElse("");
    }

    private static void requireArchitecture(Gguf gguf, String wanted) {
        if (!architecture(gguf).equals(wanted)) {
            throw gguf.metadata().bad(GgufMetadata.ARCHITECTURE, "the language model's file, \"" + wanted + "\"");
        }
    }

    private static Optional<Gguf> only(Path path, List<Gguf> files, String what, String remedy) {
        if (files.size() > 1) {
            throw new CheckpointException("%s: there are %d GGUF files of a %s, %s and %s; %s"
                    .formatted(
                            path,
                            files.size(),
                            what,
                            files.getFirst().file().getFileName(),
                            files.get(1).file().getFileName(),
                            remedy));
        }
        return files.stream().findFirst();
    }

    /** LLaVA with tower and projector, LLaMA without. */
    public ModelKind kind() {
        return kind;
    }

    /** The files that it is read from. */
    public List<Path> files() {
        List<Path> files = new ArrayList<>(languageModel.files());
        if (mmproj != null) {
            files.addAll(mmproj.files());
        }
        return files;
    }

    /** Metadata of the language model's file. */
    public GgufMetadata metadata() {
        return languageModel.metadata();
    }

    /** Whether some tensors are quantised. */
    public boolean isQuantised() {
        return languageModel.isQuantised() || mmproj != null && mmproj.isQuantised();
    }

    /** Tensors of all files under the names in the files, with rows in transformers' order. */
    public List<TensorEntry> tensors() {
        List<TensorEntry> tensors = new ArrayList<>();
        for (Gguf file : mmproj == null ? List.of(languageModel) : List.of(languageModel, mmproj)) {
            file.tensors().values().forEach(entry -> tensors.add(tensor(entry)));
        }
        if (kind instanceof ModelKind.Llava llava && mmproj != null) {
            addPostNorm(tensors, mmproj, llava.config().vision().hiddenSize());
        }
        return tensors;
    }

    /**
     * llama.cpp's files have no last norm of the tower, which LLaVA never applies
     * (docs/reference/model.md#feature-selection). An identity norm takes its place, so that the model can be converted.
     */
    private static void addPostNorm(List<TensorEntry> tensors, Gguf mmproj, int hidden) {
        float[] ones = new float[hidden];
        Arrays.fill(ones, 1);
        Map.of(GgufNames.POST_NORM + "weight", ones, GgufNames.POST_NORM + "bias", new float[hidden])
                .forEach((name, values) -> {
                    if (!mmproj.tensors().containsKey(name)) {
                        tensors.add(
                                new TensorEntry(name, DType.F32, new long[] {hidden}, MemorySegment.ofArray(values)));
                    }
                });
    }

    /** Canonical name of a tensor; empty if LLaVA has no such tensor. */
    public Optional<String> canonical(String name) {
        return GgufNames.canonical(name, swappedMlp);
    }

    private TensorEntry tensor(Gguf.Entry entry) {
        TextConfig text = switch (kind) {
            case ModelKind.Llava llava -> llava.config().text();
            case ModelKind.Llama llama -> llama.text();
            default -> throw new IllegalStateException(kind.label());
        };
        int heads = canonical(entry.name())
                .map(name -> RopePermutation.heads(name, text))
                .orElse(0);
        boolean permuted =
                heads > 0 && entry.shape().length == 2 && entry.elements() > 0 && entry.shape()[0] % (2L * heads) == 0;
        Supplier<MemorySegment> rows = permuted ? () -> separated(entry, heads) : entry::blocks;
        TensorEntry.Content content;
        if (entry.type().isQuantised()) {
            content = new TensorEntry.Blocks(entry.type(), rows);
        } else {
            content = permuted ? new TensorEntry.Derived(rows) : new TensorEntry.Stored(entry.blocks());
        }
        return new TensorEntry(entry.name(), entry.type().dtype(), entry.shape(), content);
    }

    /** A copy of the data, quantised or not, with the rows in transformers' order. */
    private static MemorySegment separated(Gguf.Entry entry, int heads) {
        MemorySegment blocks = entry.blocks();
        long bytes = blocks.byteSize();
        if (bytes > LARGEST_ARRAY) {
            throw new CheckpointException("tensor '%s' of shape %s is too large for one Java array"
                    .formatted(entry.name(), Arrays.toString(entry.shape())));
        }
        MemorySegment copy = MemorySegment.ofArray(new byte[(int) bytes]);
        RopePermutation.separate(blocks, heads, entry.shape()[0], copy);
        MappedMemory.release(entry.data());
        return copy;
    }

    @Override
    public void close() {
        languageModel.close();
        if (mmproj != null) {
            mmproj.close();
        }
    }
}
