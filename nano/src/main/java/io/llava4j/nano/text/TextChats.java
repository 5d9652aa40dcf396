package io.llava4j.nano.text;

import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.Turn;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Conversations without an image: facts of the nano world, sums, opposites, plurals, greetings. */
public final class TextChats {
    private static final List<List<String>> OPPOSITES = List.of(
            List.of("big", "small"),
            List.of("hot", "cold"),
            List.of("left", "right"),
            List.of("top", "bottom"),
            List.of("above", "below"),
            List.of("old", "new"),
            List.of("fast", "slow"),
            List.of("open", "closed"),
            List.of("day", "night"),
            List.of("yes", "no"),
            List.of("black", "white"),
            List.of("happy", "sad"));
    private static final List<List<String>> SMALL_TALK = List.of(
            List.of("Hello!", "Hello! How can I help you?"),
            List.of("Who are you?", "I am a small assistant that can look at pictures."),
            List.of("What can you do?", "I can look at a picture and answer questions about it."),
            List.of("Thank you!", "You are welcome!"));

    private final List<Category> categories;
    private final List<Category> named;

    /** @param categories that conversations are about */
    public TextChats(List<Category> categories) {
        this.categories = categories;
        this.named = categories.stream()
                .filter(category -> Kinds.isNamed(category.supercategory()))
                .toList();
    }

    /** One to three exchanges. */
    public List<Turn> chat(SplitMix64 random) {
        List<Turn> turns = new ArrayList<>();
        Set<String> asked = new HashSet<>();
        int wanted = random.between(1, 3);
        while (turns.size() < 2 * wanted) {
            List<String> exchange = exchange(random);
            if (asked.add(exchange.getFirst())) {
                turns.add(Turn.human(exchange.getFirst()));
                turns.add(Turn.assistant(exchange.getLast()));
            }
        }
        return turns;
    }

    private List<String> exchange(SplitMix64 random) {
        Category category = random.pick(categories);
        return switch (random.nextInt(named.isEmpty() ? 4 : 7)) {
            case 0 ->
                List.of(
                        "What is the plural of " + category.name() + "?",
                        "The plural of " + category.name() + " is " + category.plural() + ".");
            case 1 -> {
                int a = random.nextInt(11);
                int b = random.nextInt(11 - a);
                yield random.chance(0.5)
                        ? List.of("How much is %d plus %d?".formatted(a, b), "%d plus %d is %d.".formatted(a, b, a + b))
                        : List.of(
                                "How much is %d minus %d?".formatted(a + b, b),
                                "%d minus %d is %d.".formatted(a + b, b, a));
            }
            case 2 -> {
                List<String> pair = random.pick(OPPOSITES);
                int one = random.nextInt(2);
                yield List.of(
                        "What is the opposite of " + pair.get(one) + "?",
                        "The opposite of " + pair.get(one) + " is " + pair.get(1 - one) + ".");
            }
            case 3 -> random.pick(SMALL_TALK);
            case 4 -> {
                Category one = random.pick(named);
                yield List.of(
                        "What is " + one.withArticle() + "?",
                        Wording.sentence(one.withArticle() + " is " + noun(one.supercategory())));
            }
            case 5 -> {
                String group = random.pick(named).supercategory();
                List<Category> members = named.stream()
                        .filter(one -> one.supercategory().equals(group))
                        .toList();
                yield List.of(
                        "Name " + noun(group) + ".",
                        Wording.sentence(random.pick(members).withArticle() + " is " + noun(group)));
            }
            default -> {
                Category one = random.pick(named);
                boolean yes = random.chance(0.5);
                String group = yes ? one.supercategory() : random.pick(named).supercategory();
                String question = "Is " + one.withArticle() + " " + noun(group) + "?";
                yield group.equals(one.supercategory())
                        ? List.of(question, "Yes, " + one.withArticle() + " is " + noun(group) + ".")
                        : List.of(question, "No, " + one.withArticle() + " is " + noun(one.supercategory()) + ".");
            }
        };
    }

    private static String noun(String group) {
        return Wording.withArticle(Kinds.of(group).singular());
    }
}
