package io.llava4j.train.data.mixture;

import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;

/** Joins the finished sources: draws samples, shuffles, writes the data file. */
final class MixtureWriter implements AutoCloseable {
    private final MixtureRecipe recipe;
    private final List<RecordStore> stores = new ArrayList<>();
    private final List<Entry> entries = new ArrayList<>();
    private final List<SourceReport> sampled = new ArrayList<>();
    private int textOnly;

    /** A record in the store of a source, and the number it is sorted by. */
    private record Entry(int source, int record, long order) {}

    /** Called before each record; may throw to stop. */
    @FunctionalInterface
    interface Check {
        void check();
    }

    /**
     * @param work folder of the temporary files
     * @param reports of all sources, in order
     */
    MixtureWriter(MixtureRecipe recipe, Path work, List<SourceReport> reports) throws IOException {
        this.recipe = recipe;
        for (SourceReport report : reports) {
            RecordStore store = RecordStore.open(work, report.name());
            stores.add(store);
            List<Entry> own = sample(store, stores.size() - 1, recipe.sample(report.name()));
            entries.addAll(own);
            sampled.add(report.sampled(
                    own.size(),
                    own.stream().mapToLong(entry -> store.pairs(entry.record())).sum()));
            textOnly += (int) own.stream()
                    .filter(entry -> !store.hasImage(entry.record()))
                    .count();
        }
        if (entries.isEmpty()) {
            throw new DataException("no record of any source is left; see %s".formatted(work));
        }
        if (recipe.shuffle()) {
            entries.sort(Comparator.comparingLong(Entry::order));
        }
    }

    /** The records of a source in its order; above the limit, those whose own random numbers are the smallest. */
    private static List<Entry> sample(RecordStore store, int source, int limit) {
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < store.size(); i++) {
            entries.add(new Entry(source, i, MixtureRecord.order(store.key(i))));
        }
        if (limit == 0 || entries.size() <= limit) {
            return entries;
        }
        List<Entry> drawn = new ArrayList<>(entries);
        drawn.sort(Comparator.comparingLong(entry -> MixtureRecord.draw(store.key(entry.record()))));
        List<Entry> kept = new ArrayList<>(drawn.subList(0, limit));
        kept.sort(Comparator.comparingInt(Entry::record));
        return kept;
    }

    /** Writes the data file and returns the manifest. */
    Manifest write(Path file, boolean array, Check check) throws IOException {
        MessageDigest digest = MixtureKeys.sha256();
        AtomicFiles.write(file, channel -> {
            OutputStream out = new BufferedOutputStream(
                    new DigestOutputStream(Channels.newOutputStream(channel), digest), 1 << 18);
            byte[] between = (array ? ",\n" : "\n").getBytes(StandardCharsets.UTF_8);
            if (array) {
                out.write('[');
            }
            for (int i = 0; i < entries.size(); i++) {
                check.check();
                if (i > 0) {
                    out.write(between);
                }
                out.write(
                        stores.get(entries.get(i).source()).bytes(entries.get(i).record()));
            }
            out.write((array ? "]\n" : "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        });
        String sha256 = HexFormat.of().formatHex(digest.digest());
        return Manifest.of(recipe, file.getFileName().toString(), Files.size(file), sha256, textOnly, sampled);
    }

    @Override
    public void close() throws IOException {
        for (RecordStore store : stores) {
            store.close();
        }
    }
}
