package io.llava4j.train.data.mixture;

import io.llava4j.DataException;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.raw.Annotation;
import io.llava4j.train.data.raw.Annotation.Chat;
import io.llava4j.train.data.raw.Annotation.Dialogue;
import io.llava4j.train.data.raw.Annotation.Region;
import io.llava4j.train.data.raw.RawItem;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Applies the rules that concern a single item of a source, before items about the same image come together. */
final class ItemFilter {
    private final Rules rules;
    private final Policy badRecords;
    private final Conversations conversations;
    private final ChatCleaner cleaner;
    private final Rejections rejections;

    ItemFilter(
            Rules rules, Policy badRecords, Conversations conversations, ChatCleaner cleaner, Rejections rejections) {
        this.rules = rules;
        this.badRecords = badRecords;
        this.conversations = conversations;
        this.cleaner = cleaner;
        this.rejections = rejections;
    }

    /**
     * Filters an item: keeps it only if it is for training, its visible regions, one answer to each question, cleaned
     * chats.
     *
     * @param filtered takes the item if something of it is left
     * @param rejected takes what is left out
     * @throws DataException if a region cannot be used and the policy is to fail
     */
    void filter(RawItem item, Consumer<RawItem> filtered, Consumer<Rejection> rejected) {
        if (!item.training() && rules.on(Rule.TRAINING_SPLIT)) {
            rejected.accept(
                    rejections.of(item, new RejectedException(Rule.TRAINING_SPLIT, "it is not marked for training")));
            return;
        }
        List<Annotation> kept = new ArrayList<>();
        for (Annotation annotation : item.annotations()) {
            if (annotation instanceof Region region
                    && !Conversations.isVisible(region, new Conversations.Size(item.width(), item.height()))) {
                rejectBadRecord(
                        new SkippedRecord(
                                item.file(),
                                item.index(),
                                item.id(),
                                "a region has no extent or lies outside the image; only this region is left out"),
                        rejected);
            } else if (annotation instanceof Chat chat) {
                try {
                    kept.add(new Dialogue(cleaner.clean(chat)));
                } catch (RejectedException e) {
                    rejected.accept(rejections.of(item, e));
                }
            } else {
                kept.add(conversations.withOneAnswer(annotation));
            }
        }
        if (!kept.isEmpty()) {
            filtered.accept(item.with(kept));
        }
    }

    /**
     * Rejects a raw record that cannot be used.
     *
     * @throws DataException if the policy is to fail
     */
    void rejectBadRecord(SkippedRecord record, Consumer<Rejection> rejected) {
        if (badRecords == Policy.FAIL) {
            throw new DataException(record.message() + "; mend it, or set bad-records to skip");
        }
        rejected.accept(rejections.of(Rejections.BAD_RECORD, record));
    }
}
