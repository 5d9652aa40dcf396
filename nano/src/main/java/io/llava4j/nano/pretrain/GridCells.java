package io.llava4j.nano.pretrain;

import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Extent;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.Sign;
import io.llava4j.nano.world.SignFont;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What each cell of a grid over a scene shows at its centre, row by row from the top left. */
final class GridCells {
    private GridCells() {}

    /** Phrases that are true of each cell: of the thing in front, the sign's word, or the background. */
    static List<List<String>> phrases(Scene scene, int grid) {
        List<List<String>> cells = new ArrayList<>();
        for (int y = 0; y < grid; y++) {
            for (int x = 0; x < grid; x++) {
                cells.add(phrases(scene, (x + 0.5) / grid, (y + 0.5) / grid));
            }
        }
        return cells;
    }

    /** What each cell shows, in words: text in place of the image tokens that a projector makes. */
    static List<GridCell> words(Scene scene, int grid) {
        List<GridCell> cells = new ArrayList<>();
        for (int y = 0; y < grid; y++) {
            for (int x = 0; x < grid; x++) {
                cells.add(cell(scene, (x + 0.5) / grid, (y + 0.5) / grid));
            }
        }
        return cells;
    }

    private static List<String> phrases(Scene scene, double x, double y) {
        Sign sign = scene.sign();
        if (sign != null && contains(sign.box(), x, y)) {
            return List.of(NanoPairs.phrase(sign.word()));
        }
        SceneObject object = front(scene, x, y);
        if (object == null) {
            return List.of(NanoPairs.phrase(scene.background().color()));
        }
        String plain = object.category().withArticle();
        return object.tint() == null ? List.of(plain) : List.of(plain, Wording.phrase(object));
    }

    private static GridCell cell(Scene scene, double x, double y) {
        String place = Place.at(x, y).words();
        Sign sign = scene.sign();
        if (sign != null && contains(sign.box(), x, y)) {
            return new GridCell(GridCell.SIGN, SignFont.read(sign.word()), null, place);
        }
        SceneObject object = front(scene, x, y);
        if (object == null) {
            return new GridCell(GridCell.BACKGROUND, scene.background().color().name(), null, place);
        }
        NamedColor tint = object.tint();
        return new GridCell(
                scene.objects().indexOf(object), word(object.category()), tint == null ? null : tint.name(), place);
    }

    /** A cell's name for a thing, a single word. */
    static String word(Category category) {
        return category.name().split(" ", 2)[0];
    }

    /** The thing in front; later objects are painted over earlier ones. */
    private static @Nullable SceneObject front(Scene scene, double x, double y) {
        for (SceneObject object : scene.objects().reversed()) {
            if (contains(object.box(), x, y)) {
                return object;
            }
        }
        return null;
    }

    private static boolean contains(Extent box, double x, double y) {
        return x >= box.left() && x < box.right() && y >= box.top() && y < box.bottom();
    }
}
