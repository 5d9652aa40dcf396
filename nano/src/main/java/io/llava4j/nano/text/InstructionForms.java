package io.llava4j.nano.text;

import static io.llava4j.nano.text.SceneConversations.said;

import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.Sign;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.ResponseFormat;
import io.llava4j.text.Turn;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Exchanges about a scene in the forms of instructions that Vicuna has met before LLaVA's training and a small language
 * model has not: a letter for an option, in English and Chinese; yes or no; permission to give up; a word that an OCR system
 * may have misread; whole sentences. Each exchange ends with its response format (docs/reference/data.md#response-formats).
 */
public final class InstructionForms {
    /** "Answer with the letter of the option directly." */
    public static final String CHINESE_LETTER = "请直接回答选项字母。";

    private static final double HINTED = 0.3;
    private static final int ATTEMPTS = 8;
    /** Exchanges of a chat. */
    private static final int CHAT = 2;

    private static final List<String> KINDS_HINTS =
            List.of("Context: Animals, plants and vehicles are kinds of things.", "Context: Look at the picture.");

    private final Questions questions;
    private final ChoiceQuestions choices;

    /** @param categories that questions may name */
    public InstructionForms(List<Category> categories) {
        this.questions = new Questions(categories, QuestionShares.DEFAULT);
        this.choices = new ChoiceQuestions(categories);
    }

    /** A form. */
    public enum Form {
        /** One of four options, or of two, by its letter. */
        LETTER,
        /** The same in Chinese. */
        CHINESE_LETTER,
        /** A question to be answered yes or no. */
        YES_NO,
        /** A short answer, or "unanswerable". */
        UNANSWERABLE,
        /** The word on a sign, with what an OCR system read. */
        SIGN,
        /** A free question that is answered in a sentence. */
        SENTENCE
    }

    /** Frequencies of the forms, in their order. */
    private static final double[] WEIGHTS = {0.36, 0.16, 0.22, 0.12, 0.06, 0.08};

    /** A conversation of some exchanges about a scene, each in a form of its own. */
    public List<Turn> conversation(Scene scene, int exchanges, SplitMix64 random) {
        return IntStream.range(0, exchanges)
                .mapToObj(i -> exchange(scene, random))
                .flatMap(List::stream)
                .toList();
    }

    /** A chat about a scene that is described in words, in several forms. */
    public List<Turn> inWords(Scene scene, SplitMix64 random) {
        List<Turn> turns = conversation(scene, CHAT, random);
        return SceneDescriptions.before(turns, SceneDescriptions.describe(scene, false, random));
    }

    /** A free question that is answered in a sentence; empty if the one drawn does not suit the scene. */
    public List<Turn> sentence(Scene scene, SplitMix64 random) {
        List<Turn> turns = SentenceQuestions.ask(scene, random);
        return turns == null ? List.of() : turns;
    }

    /** One exchange, in a form that the scene allows. */
    private List<Turn> exchange(Scene scene, SplitMix64 random) {
        while (true) {
            List<Turn> turns = exchange(Form.values()[random.weighted(WEIGHTS)], scene, random);
            if (turns != null) {
                return turns;
            }
        }
    }

    /** One exchange in a form; null if the scene does not allow it. */
    @Nullable
    List<Turn> exchange(Form form, Scene scene, SplitMix64 random) {
        return switch (form) {
            case LETTER -> letter(scene, false, random);
            case CHINESE_LETTER -> letter(scene, true, random);
            case YES_NO -> shortAnswer(yesNo(scene, random));
            case UNANSWERABLE -> answerableOrNot(scene, random);
            case SIGN -> sign(scene, random);
            case SENTENCE -> SentenceQuestions.ask(scene, random);
        };
    }

    private @Nullable List<Turn> letter(Scene scene, boolean inChinese, SplitMix64 random) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            ChoiceQuestions.Topic topic = random.pick(ChoiceQuestions.TOPICS);
            Choice choice = choices.ask(topic, scene, random);
            if (choice != null && inChinese) {
                return said(choice.letteredInChinese() + "\n" + CHINESE_LETTER, choice.letter());
            }
            if (choice != null) {
                String hint = random.chance(HINTED) ? random.pick(KINDS_HINTS) + "\n" : "";
                return said(hint + ResponseFormat.LETTER.ask(choice.lettered()), choice.letter());
            }
        }
        return null;
    }

    /** A question to be answered yes or no, each as often as the other; null if the scene does not allow the one drawn. */
    public @Nullable Question yesNo(Scene scene, SplitMix64 random) {
        YesNoQuestions.Subject subject = random.pick(List.of(YesNoQuestions.Subject.values()));
        if (subject == YesNoQuestions.Subject.WORD && scene.sign() == null) {
            return null;
        }
        YesNoQuestions.Pair pair = subject.ask(scene, questions, random);
        if (pair == null) {
            return null;
        }
        boolean yes = random.chance(0.5);
        String text = yes ? pair.yes() : pair.no();
        return new Question(Question.Kind.VERIFICATION, text, text, yes ? "yes" : "no", List.of());
    }

    private static @Nullable List<Turn> shortAnswer(@Nullable Question question) {
        return question == null ? null : said(ResponseFormat.SHORT.ask(question.text()), question.answer());
    }

    private @Nullable List<Turn> answerableOrNot(Scene scene, SplitMix64 random) {
        Question question;
        if (random.chance(0.4)) {
            question = questions.unanswerable(scene, random);
        } else {
            List<Question> asked = questions.ask(scene, 1, () -> random.chance(0.5), random);
            if (asked.isEmpty()) {
                return null;
            }
            question = asked.getFirst();
        }
        return said(ResponseFormat.SHORT_OR_UNANSWERABLE.ask(question.text()), question.answer());
    }

    private static @Nullable List<Turn> sign(Scene scene, SplitMix64 random) {
        Sign sign = scene.sign();
        if (sign == null) {
            return null;
        }
        String text = Questions.text(sign, random).text();
        return said(
                ResponseFormat.SHORT.ask(ResponseFormat.withReadText(text, ReadWords.of(sign.word(), random))),
                SignFont.read(sign.word()));
    }
}
