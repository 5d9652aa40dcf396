package io.llava4j.nano.text;

import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.Sign;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Boxes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Stage-2 conversations about a scene in the layouts of LLaVA's mixture (docs/reference/data.md#conversation-layouts). The first human turn has
 * no image placeholder: the caller puts it, or a description of the image, before the turn.
 */
public final class SceneConversations {
    /** Prompt for short answers (docs/reference/data.md#response-formats). */
    public static final String SHORT = "Answer the question using a single word or phrase.";
    /** Prompt for multiple choice (docs/reference/data.md#response-formats). */
    public static final String LETTER = "Answer with the option's letter from the given choices directly.";
    /** Prompt for captions (docs/reference/data.md#response-formats). */
    public static final String CAPTION = "Provide a one-sentence caption for the provided image.";

    private static final String REGION = "Please provide a short description for this region: %s.";
    private static final String BOX =
            "Please provide the bounding box coordinate of the region this sentence describes: %s.";
    private static final int OPTIONS = 4;

    private final Questions questions;

    /**
     * @param categories that questions may name
     * @param shares frequencies of the kinds of questions
     */
    public SceneConversations(List<Category> categories, QuestionShares shares) {
        this.questions = new Questions(categories, shares);
    }

    /** All questions about one image in one conversation; only the first turn has the format prompt. */
    public List<Turn> vqa(Scene scene, int wanted, SplitMix64 random) {
        List<Turn> turns = new ArrayList<>();
        for (Question question : questions.ask(scene, wanted, () -> random.chance(0.5), random)) {
            turns.add(Turn.human(turns.isEmpty() ? question.text() + "\n" + SHORT : question.text()));
            turns.add(Turn.assistant(question.answer()));
        }
        return turns;
    }

    /** One or two multiple-choice questions; only the first turn has the format prompt. */
    public List<Turn> choice(Scene scene, SplitMix64 random) {
        List<Turn> turns = new ArrayList<>();
        Set<String> asked = new HashSet<>();
        int wanted = random.between(1, 2);
        for (int attempt = 0; attempt < 8 && turns.size() < 2 * wanted; attempt++) {
            Question question = switch (random.nextInt(3)) {
                case 0 -> questions.color(scene, random);
                case 1 -> questions.count(scene, random);
                default -> questions.category(scene, random);
            };
            if (question == null || !asked.add(question.topic())) {
                continue;
            }
            List<String> options = options(question, scene, random);
            String text = Choice.lettered(question.text(), options);
            turns.add(Turn.human(turns.isEmpty() ? text + "\n" + LETTER : text));
            turns.add(Turn.assistant(Character.toString('A' + options.indexOf(question.answer()))));
        }
        return turns;
    }

    public List<String> options(Question question, Scene scene, SplitMix64 random) {
        List<String> options = new ArrayList<>(List.of(question.answer()));
        while (options.size() < OPTIONS) {
            String option = switch (question.kind()) {
                case COLOR ->
                    random.pick(
                                    question.topic().endsWith(Questions.BACKGROUND)
                                            ? NamedColor.BACKGROUNDS
                                            : NamedColor.TINTS)
                            .name();
                case COUNT -> Integer.toString(random.between(1, 5));
                default -> questions.absent(scene, random).name();
            };
            if (!options.contains(option)) {
                options.add(option);
            }
        }
        random.shuffle(options);
        return options;
    }

    /** A caption in one sentence; words on a sign are given as reference tokens, as in the released data. */
    public List<Turn> caption(Scene scene, SplitMix64 random) {
        Sign sign = scene.sign();
        String prompt = sign == null ? CAPTION : CAPTION + "\nReference OCR token: " + SignFont.read(sign.word());
        return List.of(Turn.human(prompt), Turn.assistant(Wording.sentence(Captions.caption(scene, random))));
    }

    /** Descriptions or boxes of up to three objects, one of the two at random for each. */
    public List<Turn> region(Scene scene, SplitMix64 random) {
        List<Turn> turns = new ArrayList<>();
        List<SceneObject> objects = new ArrayList<>(scene.objects());
        random.shuffle(objects);
        for (SceneObject object : objects) {
            if (turns.size() < 6 && Questions.isUnique(scene, object)) {
                String box = Boxes.text(object.box().toBox());
                String place = Place.isClear(object.box()) && random.chance(0.5)
                        ? " " + Place.of(object.box()).phrase()
                        : "";
                String description = Wording.phrase(object) + place;
                if (random.chance(0.5)) {
                    turns.add(Turn.human(REGION.formatted(box)));
                    turns.add(Turn.assistant(Wording.sentence(description)));
                } else {
                    turns.add(Turn.human(BOX.formatted(description)));
                    turns.add(Turn.assistant(box));
                }
            }
        }
        return turns;
    }

    /** Two or three questions answered in full sentences. */
    public List<Turn> free(Scene scene, SplitMix64 random) {
        List<Turn> turns = new ArrayList<>();
        Set<String> asked = new HashSet<>();
        int wanted = random.between(2, 3);
        for (int attempt = 0; attempt < 12 && turns.size() < 2 * wanted; attempt++) {
            List<Turn> exchange = exchange(scene, random);
            if (!exchange.isEmpty() && asked.add(exchange.getFirst().text())) {
                turns.addAll(exchange);
            }
        }
        return turns;
    }

    private List<Turn> exchange(Scene scene, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        String name = object.category().name();
        boolean unique = Questions.isUnique(scene, object);
        NamedColor tint = object.tint();
        return switch (random.nextInt(7)) {
            case 0 ->
                said(
                        random.pick(List.of("What is in the picture?", "What can you see?", "Describe the image.")),
                        "There " + (startsPlural(scene) ? "are " : "is ") + everything(scene) + " in the picture.");
            case 1 -> {
                Category absent = questions.absent(scene, random);
                yield said(
                        "Is there " + absent.withArticle() + " in the picture?",
                        "No, there is no " + absent.name() + " in the picture.");
            }
            case 2 ->
                said(
                        "Is there " + object.category().withArticle() + " in the picture?",
                        "Yes, there is " + object.category().withArticle() + " in the picture.");
            case 3 ->
                unique && Place.isClear(object.box())
                        ? said(
                                "Can you tell me where the " + name + " is?",
                                "The " + name + " is " + Place.of(object.box()).phrase() + " of the image.")
                        : List.of();
            case 4 ->
                unique && tint != null
                        ? said("Tell me the color of the " + name + ".", "The " + name + " is " + tint.name() + ".")
                        : List.of();
            case 5 ->
                said(
                        "What does the background look like?",
                        "The background is " + scene.background().color().name() + ".");
            default -> {
                Sign sign = scene.sign();
                yield sign == null
                        ? List.of()
                        : said("Can you read the sign?", "The sign says " + SignFont.read(sign.word()) + ".");
            }
        };
    }

    static List<Turn> said(String question, String answer) {
        return List.of(Turn.human(question), Turn.assistant(answer));
    }

    private static boolean startsPlural(Scene scene) {
        return Wording.alike(scene.objects()).getFirst().size() > 1;
    }

    private static String everything(Scene scene) {
        return Wording.counted(scene.objects());
    }
}
