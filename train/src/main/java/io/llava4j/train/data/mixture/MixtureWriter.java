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

/** Puts the finished sources together: draws samples, mixes, writes the data file. */
final class MixtureWriter implements AutoCloseable {
    private final MixtureRecipe recipe;
    private final List<RecordStore> spools = new ArrayList<>();
    private final List<Place> places = new ArrayList<>();
    private final List<SourceReport> sampled = new ArrayList<>();
    private int textOnly;

    /** A record of a source: where it lies, and what it is ordered by. */
    private record Place(int source, int record, long order) {}

    /** Asked again and again; may throw to stop. */
    @FunctionalInterface
    interface Check {
        void check();
    }

    /**
     * @param work folder of half-made things
     * @param reports of all sources, in order
     */
    MixtureWriter(MixtureRecipe recipe, Path work, List<SourceReport> reports) throws IOException {
        this.recipe = recipe;
        for (SourceReport report : reports) {
            RecordStore spool = RecordStore.open(work, report.name());
            spools.add(spool);
            List<Place> own = sample(spool, spools.size() - 1, recipe.sample(report.name()));
            places.addAll(own);
            sampled.add(report.sampled(
                    own.size(),
                    own.stream().mapToLong(place -> spool.pairs(place.record())).sum()));
            textOnly += (int) own.stream()
                    .filter(place -> !spool.hasImage(place.record()))
                    .count();
        }
        if (places.isEmpty()) {
            throw new DataException("no record is left of all sources; see %s".formatted(work));
        }
        if (recipe.shuffle()) {
            places.sort(Comparator.comparingLong(Place::order));
        }
    }

    /** The records of a source in its order; of too many those that come first by a random number of their own. */
    private static List<Place> sample(RecordStore spool, int source, int most) {
        List<Place> places = new ArrayList<>();
        for (int i = 0; i < spool.size(); i++) {
            places.add(new Place(source, i, MixtureRecord.order(spool.key(i))));
        }
        if (most == 0 || places.size() <= most) {
            return places;
        }
        List<Place> drawn = new ArrayList<>(places);
        drawn.sort(Comparator.comparingLong(place -> MixtureRecord.draw(spool.key(place.record()))));
        List<Place> kept = new ArrayList<>(drawn.subList(0, most));
        kept.sort(Comparator.comparingInt(Place::record));
        return kept;
    }

    /** Writes the data file and tells what it is made of. */
    Manifest write(Path file, boolean array, Check check) throws IOException {
        MessageDigest digest = MixtureKeys.sha256();
        AtomicFiles.write(file, channel -> {
            OutputStream out = new BufferedOutputStream(
                    new DigestOutputStream(Channels.newOutputStream(channel), digest), 1 << 18);
            byte[] between = (array ? ",\n" : "\n").getBytes(StandardCharsets.UTF_8);
            if (array) {
                out.write('[');
            }
            for (int i = 0; i < places.size(); i++) {
                check.check();
                if (i > 0) {
                    out.write(between);
                }
                out.write(spools.get(places.get(i).source()).bytes(places.get(i).record()));
            }
            out.write((array ? "]\n" : "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        });
        String sha256 = HexFormat.of().formatHex(digest.digest());
        return Manifest.of(recipe, file.getFileName().toString(), Files.size(file), sha256, textOnly, sampled);
    }

    @Override
    public void close() throws IOException {
        for (RecordStore spool : spools) {
            spool.close();
        }
    }
}
