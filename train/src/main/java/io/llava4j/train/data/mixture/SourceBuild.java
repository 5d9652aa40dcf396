package io.llava4j.train.data.mixture;

import io.llava4j.DataException;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.LlavaWriter;
import io.llava4j.train.data.RecordRules;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.format.DataFiles;
import io.llava4j.train.data.raw.Annotation;
import io.llava4j.train.data.raw.Annotation.Chat;
import io.llava4j.train.data.raw.Annotation.Dialogue;
import io.llava4j.train.data.raw.Annotation.Region;
import io.llava4j.train.data.raw.CocoNames;
import io.llava4j.train.data.raw.RawFile;
import io.llava4j.train.data.raw.RawItem;
import io.llava4j.train.data.raw.SourceFiles;
import io.llava4j.train.recipe.TrainConfig.Policy;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** Builds the conversations of one source into a {@link Spool}. Used by one thread. */
final class SourceBuild {
    /** What broke LLaVA's data format. */
    static final String INVALID = "invalid";
    /** What could not be read. */
    static final String BAD_RECORD = "bad-record";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final MixtureRecipe recipe;
    private final String name;
    private final MixtureRecipe.Source source;
    private final Rules rules;
    private final Path folder;
    private final Conversations conversations;
    private final ChatCleaner cleaner;
    private final @Nullable ChatLength length;
    private final TreeMap<String, Integer> leftOut = new TreeMap<>();
    private int items;
    private long pairs;

    /** All that was said of one picture so far. */
    private record Gathered(RawItem first, List<Annotation> annotations) {}

    /**
     * @param recipe of the mixture
     * @param name of the source
     * @param folder of half-made things
     * @param tokenizer that counts; null if nothing is to be counted
     */
    SourceBuild(MixtureRecipe recipe, String name, Path folder, @Nullable SentencePieceTokenizer tokenizer) {
        this.recipe = recipe;
        this.name = name;
        this.source = Objects.requireNonNull(recipe.sources().get(name));
        this.rules = recipe.rulesOf(name);
        this.folder = folder;
        this.conversations = new Conversations(recipe.seed(), name, source.responseFormat(), rules);
        this.cleaner = new ChatCleaner(rules);
        int most = rules.limit(Rule.MOST_TOKENS);
        this.length = tokenizer == null || most == 0 ? null : new ChatLength(tokenizer, most);
    }

    static Path leftOutFile(Path folder, String source) {
        return folder.resolve(source + ".left-out.jsonl");
    }

    /**
     * Reads and builds everything.
     *
     * @param bytesRead told how many bytes were read, again and again; may throw to stop
     */
    SourceReport run(LongConsumer bytesRead) throws IOException {
        Map<String, RawFile> files = new LinkedHashMap<>();
        source.files().forEach((role, path) -> files.put(role, new RawFile(recipe.file(path), bytesRead)));
        try (Spool.Writer spool = new Spool.Writer(folder, name);
                BufferedWriter list = Files.newBufferedWriter(leftOutFile(folder, name))) {
            Map<String, Gathered> gathered = new LinkedHashMap<>();
            source.kind()
                    .reader()
                    .read(
                            new SourceFiles(name, files),
                            problem -> badRecord(problem, list),
                            item -> take(item, gathered, spool, list));
            gathered.forEach((id, all) -> emit(all.first(), all.annotations(), spool, list));
            spool.finish();
            return new SourceReport(
                    name,
                    source.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    source.licence(),
                    source.paper(),
                    source.expected(),
                    inputs(files),
                    rules.asMap(),
                    checksImages(),
                    items,
                    spool.size(),
                    pairs,
                    leftOut);
        } catch (UncheckedIOException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }

    private List<SourceReport.InputFile> inputs(Map<String, RawFile> files) throws IOException {
        List<SourceReport.InputFile> inputs = new ArrayList<>();
        for (Map.Entry<String, RawFile> file : files.entrySet()) {
            inputs.add(new SourceReport.InputFile(
                    file.getKey(),
                    String.valueOf(source.files().get(file.getKey())).replace('\\', '/'),
                    Files.size(file.getValue().path()),
                    String.valueOf(file.getValue().sha256())));
        }
        return inputs;
    }

    private void badRecord(SkippedRecord problem, BufferedWriter list) {
        if (recipe.badRecords() == Policy.FAIL) {
            throw new DataException(problem.message() + "; mend it, or set bad-records to skip");
        }
        leave(BAD_RECORD, problem, list);
    }

    private void take(RawItem item, Map<String, Gathered> gathered, Spool.Writer spool, BufferedWriter list) {
        items++;
        if (!item.training() && rules.on(Rule.TRAINING_SPLIT)) {
            leave(
                    Rule.TRAINING_SPLIT.key(),
                    new SkippedRecord(item.file(), item.index(), item.id(), "it is not marked for training"),
                    list);
            return;
        }
        List<Annotation> settled = new ArrayList<>();
        for (Annotation annotation : item.annotations()) {
            if (annotation instanceof Region region
                    && !Conversations.isVisible(region, new Conversations.Size(item.width(), item.height()))) {
                badRecord(
                        new SkippedRecord(
                                item.file(),
                                item.index(),
                                item.id(),
                                "a region has no extent or lies outside the picture; only this region is left out"),
                        list);
            } else {
                settled.add(conversations.settled(annotation));
            }
        }
        if (settled.isEmpty()) {
            return;
        }
        if (source.kind().grouped()) {
            emit(item, settled, spool, list);
        } else {
            gathered.computeIfAbsent(item.id(), id -> new Gathered(withoutAnnotations(item), new ArrayList<>()))
                    .annotations()
                    .addAll(settled);
        }
    }

    private static RawItem withoutAnnotations(RawItem item) {
        return new RawItem(
                item.id(),
                item.image(),
                item.width(),
                item.height(),
                item.training(),
                List.of(),
                item.file(),
                item.index());
    }

    /** Writes all conversations about one picture, or one text. */
    private void emit(RawItem item, List<Annotation> annotations, Spool.Writer spool, BufferedWriter list) {
        SkippedRecord place = new SkippedRecord(item.file(), item.index(), item.id(), "");
        String image;
        List<List<Turn>> made;
        try {
            image = item.image() == null ? null : imagePath(item.image());
            made = annotations.getFirst() instanceof Chat chat
                    ? List.of(chat(chat))
                    : conversations.of(item.id(), new Conversations.Size(item.width(), item.height()), annotations);
        } catch (Left e) {
            leave(e.by(), reason(place, e.reason()), list);
            return;
        }
        for (int i = 0; i < made.size(); i++) {
            LlavaRecord record = new LlavaRecord(id(item, annotations.getFirst(), i), image, made.get(i));
            try {
                check(record);
                write(record, Seeds.of(recipe.seed(), name, record.id(), Integer.toString(item.index())), spool);
            } catch (Left e) {
                leave(e.by(), reason(place, e.reason()), list);
            }
        }
    }

    private void write(LlavaRecord record, long key, Spool.Writer spool) {
        int count = record.turns().size() / 2;
        pairs += count;
        try {
            spool.add(LlavaWriter.json(record), key, count, record.image() != null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<Turn> chat(Chat chat) {
        List<Turn> turns = cleaner.clean(chat);
        if (length == null) {
            return turns;
        }
        // Before anything is counted, what could not be counted rightly is left out.
        checkText(turns);
        checkFormat(new LlavaRecord("", null, turns));
        return length.cut(turns);
    }

    private String id(RawItem item, Annotation kind, int number) {
        if (kind instanceof Dialogue || kind instanceof Chat) {
            return item.id();
        }
        String id = rules.on(Rule.SOURCE_IN_ID) ? name + "-" + item.id() : item.id();
        return number == 0 ? id : id + "-" + number;
    }

    private String imagePath(String image) {
        String renamed = rules.on(Rule.COCO_2017_NAMES) ? CocoNames.renamedTo2017(image) : image;
        String prefix =
                source.images().isEmpty() || source.images().endsWith("/") ? source.images() : source.images() + "/";
        String path = renamed.startsWith(prefix) ? renamed : prefix + renamed;
        String complaint = DataFiles.pathComplaint(path);
        if (complaint != null) {
            throw new Left(INVALID, complaint);
        }
        if (checksImages() && !exists(path)) {
            throw new Left(Rule.IMAGE_PRESENCE, "its picture %s is not in the image folder".formatted(path));
        }
        return path;
    }

    private boolean checksImages() {
        return recipe.images() != null && rules.on(Rule.IMAGE_PRESENCE);
    }

    private boolean exists(String path) {
        try {
            return recipe.images() != null
                    && Files.isRegularFile(recipe.images().resolve(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private void check(LlavaRecord record) {
        checkText(record.turns());
        checkFormat(record);
    }

    private void checkText(List<Turn> turns) {
        for (Turn turn : turns) {
            String text = turn.text();
            if (rules.on(Rule.NO_TEMPLATE_MARKERS) && (text.contains(" ASSISTANT: ") || text.contains("</s>"))) {
                throw new Left(
                        Rule.NO_TEMPLATE_MARKERS,
                        "its text holds a marker of the conversation template, which splits it");
            }
            if (hasHalfCharacter(text)) {
                throw new Left(INVALID, "its text holds half a character, which cannot be written");
            }
        }
    }

    private static void checkFormat(LlavaRecord record) {
        try {
            RecordRules.check(record);
        } catch (DataException e) {
            throw new Left(INVALID, String.valueOf(e.getMessage()));
        }
    }

    private static SkippedRecord reason(SkippedRecord place, String reason) {
        return new SkippedRecord(place.file(), place.index(), place.id(), reason);
    }

    private void leave(String by, SkippedRecord record, BufferedWriter list) {
        leftOut.merge(by, 1, Integer::sum);
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("source", name);
        line.put("rule", by);
        line.put("file", belowRaw(record.file()));
        line.put("record", record.index());
        line.put("id", record.id());
        line.put("reason", record.reason());
        try {
            list.write(JSON.writeValueAsString(line));
            list.newLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Lists and manifests are the same wherever the raw files are. */
    private String belowRaw(String file) {
        String folder = recipe.raw() + "/";
        return file.startsWith(folder) ? file.substring(folder.length()) : file;
    }

    private static boolean hasHalfCharacter(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (!Character.isHighSurrogate(text.charAt(i))
                        || i + 1 == text.length()
                        || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    return true;
                }
                i++;
            }
        }
        return false;
    }
}
