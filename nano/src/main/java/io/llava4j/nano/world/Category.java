package io.llava4j.nano.world;

/**
 * A category of objects of the nano world, such as a cat or a fire truck.
 *
 * @param name lower-case English singular, one or two words
 * @param plural lower-case English plural
 * @param supercategory such as "animal"
 * @param article the indefinite article before the name, "a" or "an"
 */
public record Category(String name, String plural, String supercategory, String article) {

    /** The name with its article, such as "an apple". */
    public String withArticle() {
        return article + " " + name;
    }
}
