package io.llava4j.train.data.mixture;

import io.llava4j.DataException;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.LlavaWriter;
import io.llava4j.train.data.RecordRules;
import io.llava4j.train.data.raw.Annotation.Dialogue;
import io.llava4j.train.data.raw.RawFile;
import io.llava4j.train.data.raw.RawItem;
import io.llava4j.train.data.raw.SourceFiles;
import io.llava4j.train.data.raw.SourceKind;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The steps from a source's raw files to its conversations: {@link #read} gives filtered items, items with the same
 * {@link #key} come together by {@link #grouping}, {@link #build} makes conversations of them. The result of a step
 * depends on recipe, source and arguments alone, so steps can run one after another in one thread or be spread over
 * machines. An object is used by one thread.
 */
public final class SourceSteps {
    private final MixtureRecipe recipe;
    private final String name;
    private final MixtureRecipe.Source source;
    private final Rules rules;
    private final Conversations conversations;
    private final ChatCleaner cleaner;
    private final @Nullable ChatLength length;
    private final ImagePaths images;
    private final Rejections rejections;
    private final ItemFilter filter;

    /** How items with the same key come together. */
    public enum Grouping {
        /** They do not: each is built by itself. */
        ALONE,
        /** All of them make one item, in the files' order: the first with the annotations of all. */
        GATHER,
        /** The first in the files' order is built, the others are {@link #duplicate duplicates}. */
        FIRST
    }

    /** Takes the results of a step, in order. */
    public interface Output {
        /** Takes a finished conversation. */
        void add(MixtureRecord record);

        /** Takes what is left out. */
        void reject(Rejection rejection);
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
     * @param tokenizer that counts tokens; null if none are counted
     */
    public SourceSteps(MixtureRecipe recipe, String name, @Nullable SentencePieceTokenizer tokenizer) {
        this.recipe = recipe;
        this.name = name;
        this.source = Objects.requireNonNull(recipe.sources().get(name));
        this.rules = recipe.rulesOf(name);
        this.conversations = new Conversations(recipe.seed(), name, source.responseFormat(), rules);
        this.cleaner = new ChatCleaner(rules);
        int maxTokens = rules.limit(Rule.MAX_TOKENS);
        this.length = tokenizer == null || maxTokens == 0 ? null : new ChatLength(tokenizer, maxTokens);
        this.images = new ImagePaths(source.images(), recipe.images(), rules);
        this.rejections = new Rejections(name, recipe.raw().toString());
        this.filter = new ItemFilter(rules, recipe.badRecords(), conversations, cleaner, rejections);
    }

    /**
     * Reads the raw files and filters each item by itself: whether it is for training, which of its regions are
     * visible, which answer counts, what the cleaning keeps of a chat.
     *
     * @param bytesRead called repeatedly with the number of bytes read since the last call; may throw to stop
     * @param filtered takes the items, in the files' order
     * @param rejected takes what is left out, in between
     * @throws DataException naming file and record, if a file cannot be used
     */
    public Reading read(LongConsumer bytesRead, Consumer<RawItem> filtered, Consumer<Rejection> rejected) {
        Map<String, RawFile> files = new LinkedHashMap<>();
        source.files().forEach((role, path) -> files.put(role, new RawFile(recipe.file(path), bytesRead)));
        int[] items = {0};
        source.kind()
                .reader()
                .read(new SourceFiles(name, files), problem -> filter.rejectBadRecord(problem, rejected), item -> {
                    items[0]++;
                    filter.filter(item, filtered, rejected);
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
                throw new DataException(file.path() + " was removed while it was read; start again", e);
            }
        });
        return inputs;
    }

    /** How filtered items with the same key come together. */
    public Grouping grouping() {
        if (!source.kind().grouped()) {
            return Grouping.GATHER;
        }
        return rules.on(Rule.DEDUPLICATE) ? Grouping.FIRST : Grouping.ALONE;
    }

    /** The key of a filtered item: its image, or a fingerprint of its text where duplicates are looked for. */
    public String key(RawItem filtered) {
        return grouping() == Grouping.FIRST ? cleaner.fingerprint(dialogue(filtered)) : filtered.id();
    }

    /** The rejection of an item with the same text as an earlier one. */
    public Rejection duplicate(RawItem item) {
        return rejections.of(item, new RejectedException(Rule.DEDUPLICATE, "an earlier conversation says the same"));
    }

    /** Builds all conversations about one image, or one text. */
    public void build(RawItem item, Output out) {
        List<String> paths;
        List<List<Turn>> made;
        try {
            paths = item.image() == null ? List.of() : List.of(images.of(item.image()));
            made = source.kind() == SourceKind.SHAREGPT
                    ? List.of(withinLimit(dialogue(item)))
                    : conversations.of(
                            item.id(), new Conversations.Size(item.width(), item.height()), item.annotations());
        } catch (RejectedException e) {
            out.reject(rejections.of(item, e));
            return;
        }
        for (int i = 0; i < made.size(); i++) {
            LlavaRecord record = new LlavaRecord(id(item, i), paths, made.get(i));
            try {
                checkText(record.turns());
                checkFormat(record);
                out.add(new MixtureRecord(
                        LlavaWriter.json(record),
                        KeyedRandom.of(recipe.seed(), name, record.id(), Integer.toString(item.index())),
                        record.turns().size() / 2,
                        !paths.isEmpty()));
            } catch (RejectedException e) {
                out.reject(rejections.of(item, e));
            }
        }
    }

    /**
     * Reports on the source.
     *
     * @param reading of its files
     * @param records number of its conversations
     * @param pairs of question and answer in them
     * @param leftOut counts by rule
     */
    public SourceReport report(Reading reading, int records, long pairs, SortedMap<String, Integer> leftOut) {
        return new SourceReport(
                name,
                source.kind().key(),
                source.licence(),
                source.paper(),
                source.expected(),
                reading.files(),
                rules.asMap(),
                images.areChecked(),
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
        // Checked first: tokens of such texts would be counted wrong.
        checkText(turns);
        checkFormat(new LlavaRecord("", List.of(), turns));
        return length.truncate(turns);
    }

    private String id(RawItem item, int number) {
        if (item.annotations().getFirst() instanceof Dialogue) {
            return item.id();
        }
        String id = rules.on(Rule.SOURCE_IN_ID) ? name + "-" + item.id() : item.id();
        return number == 0 ? id : id + "-" + number;
    }

    private void checkText(List<Turn> turns) {
        for (Turn turn : turns) {
            String text = turn.text();
            if (rules.on(Rule.NO_TEMPLATE_MARKERS) && (text.contains(" ASSISTANT: ") || text.contains("</s>"))) {
                throw new RejectedException(
                        Rule.NO_TEMPLATE_MARKERS,
                        "its text holds a marker of the conversation template, which splits it");
            }
            if (hasUnpairedSurrogate(text)) {
                throw new RejectedException(
                        Rejections.INVALID, "its text holds half a character, which cannot be written");
            }
        }
    }

    private static void checkFormat(LlavaRecord record) {
        try {
            RecordRules.check(record);
        } catch (DataException e) {
            throw new RejectedException(Rejections.INVALID, String.valueOf(e.getMessage()));
        }
    }

    private static boolean hasUnpairedSurrogate(String text) {
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
