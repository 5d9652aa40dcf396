package io.llava4j.train.data.mixture;

import io.llava4j.DataException;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.LlavaWriter;
import io.llava4j.train.data.Policy;
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
import io.llava4j.train.data.raw.SourceKind;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * The steps from a source's raw files to its conversations: {@link #read}, then items of one {@link #key} come together
 * as {@link #grouping} tells, then {@link #build}. What a step gives depends on recipe, source and its arguments alone,
 * so the steps can be taken in one thread after another or spread over machines. An object is used by one thread.
 */
public final class SourceSteps {
    /** What broke LLaVA's data format. */
    static final String INVALID = "invalid";
    /** What could not be read. */
    static final String BAD_RECORD = "bad-record";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final MixtureRecipe recipe;
    private final String name;
    private final MixtureRecipe.Source source;
    private final Rules rules;
    private final Conversations conversations;
    private final ChatCleaner cleaner;
    private final @Nullable ChatLength length;

    /** What becomes of items with the same key. */
    public enum Grouping {
        /** Nothing: each is built by itself. */
        ALONE,
        /** All of them make one item, in the files' order: the first with the annotations of all. */
        GATHER,
        /** The first in the files' order is built, the others are {@link #duplicate duplicates}. */
        FIRST
    }

    /** Takes what a step gives, in order. */
    public interface Output {
        /** A finished conversation. */
        void add(MixtureRecord record);

        /** Something that is left out. */
        void leave(Rejection left);
    }

    /**
     * What was read.
     *
     * @param items in the raw files
     * @param files that were read
     */
    public record Reading(int items, List<SourceReport.InputFile> files) implements Serializable {}

    /**
     * @param recipe of the mixture
     * @param name of the source
     * @param tokenizer that counts; null if nothing is to be counted
     */
    public SourceSteps(MixtureRecipe recipe, String name, @Nullable SentencePieceTokenizer tokenizer) {
        this.recipe = recipe;
        this.name = name;
        this.source = Objects.requireNonNull(recipe.sources().get(name));
        this.rules = recipe.rulesOf(name);
        this.conversations = new Conversations(recipe.seed(), name, source.responseFormat(), rules);
        this.cleaner = new ChatCleaner(rules);
        int most = rules.limit(Rule.MAX_TOKENS);
        this.length = tokenizer == null || most == 0 ? null : new ChatLength(tokenizer, most);
    }

    /**
     * Reads the raw files and settles what concerns a single item: whether it is for training, which of its regions can
     * be seen, which answer counts, what is left of a chat.
     *
     * @param bytesRead told how many bytes were read, again and again; may throw to stop
     * @param settled takes the items, in the files' order
     * @param leave takes what is left out, in between
     * @throws DataException naming file and record, if a file cannot be used
     */
    public Reading read(LongConsumer bytesRead, Consumer<RawItem> settled, Consumer<Rejection> leave) {
        Map<String, RawFile> files = new LinkedHashMap<>();
        source.files().forEach((role, path) -> files.put(role, new RawFile(recipe.file(path), bytesRead)));
        int[] items = {0};
        source.kind().reader().read(new SourceFiles(name, files), problem -> badRecord(problem, leave), item -> {
            items[0]++;
            settle(item, settled, leave);
        });
        return new Reading(items[0], inputs(files));
    }

    private List<SourceReport.InputFile> inputs(Map<String, RawFile> files) {
        List<SourceReport.InputFile> inputs = new ArrayList<>();
        files.forEach((role, file) -> {
            try {
                inputs.add(new SourceReport.InputFile(
                        role,
                        String.valueOf(source.files().get(role)).replace('\\', '/'),
                        Files.size(file.path()),
                        String.valueOf(file.sha256())));
            } catch (IOException e) {
                throw new DataException(file.path() + " went away while it was read; start again", e);
            }
        });
        return inputs;
    }

    private void badRecord(SkippedRecord problem, Consumer<Rejection> leave) {
        if (recipe.badRecords() == Policy.FAIL) {
            throw new DataException(problem.message() + "; mend it, or set bad-records to skip");
        }
        leave.accept(left(BAD_RECORD, problem));
    }

    private void settle(RawItem item, Consumer<RawItem> settled, Consumer<Rejection> leave) {
        if (!item.training() && rules.on(Rule.TRAINING_SPLIT)) {
            leave.accept(left(item, new RejectedException(Rule.TRAINING_SPLIT, "it is not marked for training")));
            return;
        }
        List<Annotation> kept = new ArrayList<>();
        for (Annotation annotation : item.annotations()) {
            if (annotation instanceof Region region
                    && !Conversations.isVisible(region, new Conversations.Size(item.width(), item.height()))) {
                badRecord(
                        at(item, "a region has no extent or lies outside the image; only this region is left out"),
                        leave);
            } else if (annotation instanceof Chat chat) {
                try {
                    kept.add(new Dialogue(cleaner.clean(chat)));
                } catch (RejectedException e) {
                    leave.accept(left(item, e));
                }
            } else {
                kept.add(conversations.settled(annotation));
            }
        }
        if (!kept.isEmpty()) {
            settled.accept(item.with(kept));
        }
    }

    /** What becomes of settled items with the same key. */
    public Grouping grouping() {
        if (!source.kind().grouped()) {
            return Grouping.GATHER;
        }
        return rules.on(Rule.DEDUPLICATE) ? Grouping.FIRST : Grouping.ALONE;
    }

    /** What a settled item has in common with others: its image, or what is said. */
    public String key(RawItem settled) {
        return grouping() == Grouping.FIRST ? cleaner.fingerprint(dialogue(settled)) : settled.id();
    }

    /** An item that says the same as an earlier one. */
    public Rejection duplicate(RawItem item) {
        return left(item, new RejectedException(Rule.DEDUPLICATE, "an earlier conversation says the same"));
    }

    /** Builds all conversations about one image, or one text. */
    public void build(RawItem item, Output out) {
        List<String> images;
        List<List<Turn>> made;
        try {
            images = item.image() == null ? List.of() : List.of(imagePath(item.image()));
            made = source.kind() == SourceKind.SHAREGPT
                    ? List.of(withinLimit(dialogue(item)))
                    : conversations.of(
                            item.id(), new Conversations.Size(item.width(), item.height()), item.annotations());
        } catch (RejectedException e) {
            out.leave(left(item, e));
            return;
        }
        for (int i = 0; i < made.size(); i++) {
            LlavaRecord record = new LlavaRecord(id(item, i), images, made.get(i));
            try {
                checkText(record.turns());
                checkFormat(record);
                out.add(new MixtureRecord(
                        LlavaWriter.json(record),
                        KeyedRandom.of(recipe.seed(), name, record.id(), Integer.toString(item.index())),
                        record.turns().size() / 2,
                        !images.isEmpty()));
            } catch (RejectedException e) {
                out.leave(left(item, e));
            }
        }
    }

    /**
     * What became of the source.
     *
     * @param records conversations it gives
     * @param pairs in them
     * @param leftOut counts by rule
     */
    public SourceReport report(Reading reading, int records, long pairs, SortedMap<String, Integer> leftOut) {
        return new SourceReport(
                name,
                source.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                source.licence(),
                source.paper(),
                source.expected(),
                reading.files(),
                rules.asMap(),
                checksImages(),
                reading.items(),
                records,
                pairs,
                leftOut);
    }

    private static List<Turn> dialogue(RawItem item) {
        return ((Dialogue) item.annotations().getFirst()).turns();
    }

    private List<Turn> withinLimit(List<Turn> turns) {
        if (length == null) {
            return turns;
        }
        // Before anything is counted, what could not be counted rightly is left out.
        checkText(turns);
        checkFormat(new LlavaRecord("", List.of(), turns));
        return length.cut(turns);
    }

    private String id(RawItem item, int number) {
        if (item.annotations().getFirst() instanceof Dialogue) {
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
            throw new RejectedException(INVALID, complaint);
        }
        if (checksImages() && !exists(path)) {
            throw new RejectedException(Rule.IMAGE_PRESENCE, "its image %s is not in the image folder".formatted(path));
        }
        return path;
    }

    private boolean checksImages() {
        return recipe.images() != null && rules.on(Rule.IMAGE_PRESENCE);
    }

    private boolean exists(String path) {
        Path images = recipe.images();
        try {
            return images != null && Files.isRegularFile(images.resolve(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private void checkText(List<Turn> turns) {
        for (Turn turn : turns) {
            String text = turn.text();
            if (rules.on(Rule.NO_TEMPLATE_MARKERS) && (text.contains(" ASSISTANT: ") || text.contains("</s>"))) {
                throw new RejectedException(
                        Rule.NO_TEMPLATE_MARKERS,
                        "its text holds a marker of the conversation template, which splits it");
            }
            if (hasHalfCharacter(text)) {
                throw new RejectedException(INVALID, "its text holds half a character, which cannot be written");
            }
        }
    }

    private static void checkFormat(LlavaRecord record) {
        try {
            RecordRules.check(record);
        } catch (DataException e) {
            throw new RejectedException(INVALID, String.valueOf(e.getMessage()));
        }
    }

    private static SkippedRecord at(RawItem item, String reason) {
        return new SkippedRecord(item.file(), item.index(), item.id(), reason);
    }

    private Rejection left(RawItem item, RejectedException left) {
        return left(left.by(), at(item, left.reason()));
    }

    private Rejection left(String by, SkippedRecord record) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("source", name);
        line.put("rule", by);
        line.put("file", belowRaw(record.file()));
        line.put("record", record.index());
        line.put("id", record.id());
        line.put("reason", record.reason());
        return new Rejection(by, JSON.writeValueAsString(line));
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
