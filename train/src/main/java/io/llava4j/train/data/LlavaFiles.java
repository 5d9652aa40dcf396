package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.text.ResponseFormat;
import io.llava4j.text.Turn;
import io.llava4j.train.data.format.DataFiles;
import io.llava4j.train.data.format.EmbeddedImages;
import io.llava4j.train.data.format.ImageLocator;
import io.llava4j.train.data.format.Images;
import io.llava4j.train.data.format.QuestionRows;
import io.llava4j.train.data.format.RecordHandler;
import io.llava4j.train.data.format.RowShapes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Reads a data set in any format of {@link DataFiles} as LLaVA records (docs/reference/data.md#record-format). Records are
 * read one by one, so the JSON tree of a file need not fit into memory. {@link RecordRules} checks every record.
 */
public final class LlavaFiles implements RecordHandler {
    private final Path file;
    private final Policy badRecords;
    private final QuestionRows questions;
    private final EmbeddedImages embedded;
    private final RecordRules rules;
    private final List<LlavaRecord> records = new ArrayList<>();
    private final IntStream.Builder indices = IntStream.builder();
    private final List<SkippedRecord> skipped = new ArrayList<>();
    private final Map<Key, Conversation> open = new HashMap<>();
    private final Map<Pair, Integer> pairs = new HashMap<>();
    private final List<SkippedRecord> repeated = new ArrayList<>();
    private int joined;
    private int index;

    /** Rows with equal keys make one conversation. */
    private record Key(String image, String system, ResponseFormat format) {}

    /** A question with its answer. */
    private record Pair(Key key, String question, String answer) {}

    /** A conversation that further rows may continue; {@code records} has its first pair at {@code position}. */
    private record Conversation(int position, List<Turn> turns) {}

    private LlavaFiles(Path file, Policy badRecords, QuestionRows questions, @Nullable Path images) {
        this.embedded = new EmbeddedImages(file);
        this.rules = new RecordRules(new ImageLocator(images), embedded, questions.areToAnswer());
        this.file = file;
        this.badRecords = badRecords;
        this.questions = questions;
    }

    /** Reads a data set; rows of questions become conversations by {@link QuestionRows#STANDARD}. */
    public static LlavaData read(Path file, Policy badRecords) {
        return read(file, badRecords, QuestionRows.STANDARD);
    }

    /**
     * Reads a data set.
     *
     * @param file in any format of {@link DataFiles}
     * @param badRecords what happens to a record that breaks a rule; a file that cannot be read to its end is always an
     *     error
     * @param questions how rows of questions become conversations
     * @return the records; to be closed if the data set contains its images
     * @throws DataException naming file, line or record, and the remedy; also if no record is usable
     */
    public static LlavaData read(Path file, Policy badRecords, QuestionRows questions) {
        return read(file, badRecords, questions, null);
    }

    /**
     * Reads a data set whose images are in a folder; absolute paths of images inside it become relative ones.
     *
     * @param file in any format of {@link DataFiles}
     * @param badRecords what happens to a record that breaks a rule; a file that cannot be read to its end is always an
     *     error
     * @param questions how rows of questions become conversations
     * @param images the image folder; null if none is given
     * @return the records; to be closed if the data set contains its images
     * @throws DataException naming file, line or record, and the remedy; also if no record is usable
     */
    public static LlavaData read(Path file, Policy badRecords, QuestionRows questions, @Nullable Path images) {
        return new LlavaFiles(file, badRecords, questions, images).read();
    }

    /** The images inside the data set, in files of their own or in the records; null if there are none. */
    private @Nullable Images images() {
        boolean done = false;
        try {
            Images images = DataFiles.read(file, this);
            done = true;
            return embedded.isEmpty() ? images : images == null ? embedded : embedded.orElse(images);
        } finally {
            if (!done) {
                embedded.close();
            }
        }
    }

    private LlavaData read() {
        Images images = images();
        if (records.isEmpty()) {
            if (images != null) {
                images.close();
            }
            throw new DataException(
                    skipped.isEmpty()
                            ? "%s holds no records; a LLaVA data file is a JSON array of them".formatted(file)
                            : "none of the %d records of %s can be used; the first: %s"
                                    .formatted(
                                            skipped.size(),
                                            file,
                                            skipped.getFirst().reason()));
        }
        for (Conversation conversation : open.values()) {
            LlavaRecord first = records.get(conversation.position());
            records.set(conversation.position(), first.withTurns(conversation.turns()));
        }
        return new LlavaData(
                file,
                records,
                indices.build().toArray(),
                skipped,
                joined,
                repeated,
                rules.leadingAnswersDropped(),
                images,
                List.of());
    }

    @Override
    public boolean takesQuestions() {
        return questions.areToAnswer();
    }

    @Override
    public void row(JsonNode row) {
        JsonNode node = row;
        try {
            node = RowShapes.toRecord(row, questions);
            LlavaRecord accepted = rules.read(node)
                    .withSource(row.path("source").stringValue("").strip());
            if (!joins(row, accepted)) {
                records.add(accepted);
                indices.add(index);
            }
            index++;
        } catch (DataException e) {
            reject(RecordRules.id(node), String.valueOf(e.getMessage()), e);
        }
    }

    /** Adds a row to the conversation about its image; false if it starts a conversation of its own. */
    private boolean joins(JsonNode row, LlavaRecord accepted) {
        String question = RowShapes.question(row);
        if (!questions.mergeByImage()
                || accepted.images().size() != 1
                || question == null
                || question.contains(Turn.IMAGE_PLACEHOLDER)) {
            return false;
        }
        Key key = new Key(accepted.images().getFirst(), accepted.system(), questions.formatOf(row));
        Turn answer = accepted.turns().getLast();
        Conversation before = open.get(key);
        Integer earlier = pairs.putIfAbsent(new Pair(key, question, answer.text()), index);
        if (before == null) {
            open.put(key, new Conversation(records.size(), new ArrayList<>(accepted.turns())));
            return false;
        }
        if (earlier == null) {
            before.turns().add(Turn.human(question));
            before.turns().add(answer);
            joined++;
        } else {
            repeated.add(new SkippedRecord(
                    file.toString(),
                    index,
                    accepted.id(),
                    "it says the same about the same image as record %d, so it is used once".formatted(earlier)));
        }
        return true;
    }

    @Override
    public void reject(String reason, @Nullable Exception cause) {
        reject("", reason, cause);
    }

    private void reject(String id, String reason, @Nullable Exception cause) {
        SkippedRecord record = new SkippedRecord(file.toString(), index++, id, reason);
        if (badRecords == Policy.FAIL) {
            throw new DataException(record.message(), cause);
        }
        skipped.add(record);
    }
}
