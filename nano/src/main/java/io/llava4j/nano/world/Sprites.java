package io.llava4j.nano.world;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The drawings as sprites, built on first use and shared by all samplers. Thread-safe. */
public final class Sprites {
    private final Drawings drawings;
    private final Map<Key, List<Sprite>> sprites = new ConcurrentHashMap<>();

    private record Key(String category, List<String> sets) {}

    /** @param drawings of the sprites */
    public Sprites(Drawings drawings) {
        this.drawings = drawings;
    }

    /** The drawings themselves. */
    public Drawings drawings() {
        return drawings;
    }

    /** Categories with a drawing in at least one of the sets, in the drawings' order. */
    public List<Category> categoriesIn(Collection<String> sets) {
        return drawings.categories().stream()
                .filter(category -> !drawings.of(category.name(), sets).isEmpty())
                .toList();
    }

    /** The sprites of a category, in the order of the sets given. */
    List<Sprite> of(Category category, List<String> sets) {
        return sprites.computeIfAbsent(new Key(category.name(), sets), this::load);
    }

    private List<Sprite> load(Key key) {
        List<Sprite> loaded = new ArrayList<>();
        for (String set : key.sets()) {
            for (Drawing drawing : drawings.of(key.category(), List.of(set))) {
                loaded.add(new Sprite(drawing));
            }
        }
        return List.copyOf(loaded);
    }
}
