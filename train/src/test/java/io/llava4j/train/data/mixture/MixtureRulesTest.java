package io.llava4j.train.data.mixture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.train.data.mixture.RawFixture.Built;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every rule of docs/reference/data.md#building-rules, docs/reference/data.md#boxes and docs/reference/data.md#sharegpt-cleaning, on and off: no test passes with the rule the other way. */
class MixtureRulesTest {
    private static final String SHORT = "\nAnswer the question using a single word or phrase.";
    private static final String LETTER = "\nAnswer with the option's letter from the given choices directly.";
    private static final String REGION = "Please provide a short description for this region: ";
    private static final String BOX =
            "Please provide the bounding box coordinate of the region this sentence describes: ";

    private static final String VQA =
            "kind: vqa\nfiles: {questions: q.json, annotations: a.json}\nimages: coco/train2017\nresponse-format: short";
    private static final String A_OKVQA =
            "kind: a-okvqa\nfiles: {annotations: a.json}\nimages: coco/train2017\nresponse-format: letter";
    private static final String OCR_VQA =
            "kind: ocr-vqa\nfiles: {annotations: d.json}\nimages: ocr_vqa/images\nresponse-format: short";
    private static final String VG = "kind: visual-genome\nfiles: {regions: r.json, images: i.json}\nimages: vg";
    private static final String REF_COCO =
            "kind: ref-coco\nfiles: {u-refs: refs.json, u-instances: i.json}\nimages: coco/train2017";
    private static final String CAPTIONS =
            "kind: text-caps\nfiles: {captions: c.json, ocr: o.json}\nimages: textvqa\nresponse-format: caption";
    private static final String CHATS = "kind: sharegpt\nfiles: {chats: s.json}\nrules: {max-tokens: 0}\nexpected: 1";

    @TempDir
    private Path dir;

    private RawFixture raw;

    @BeforeEach
    void makeFixture() {
        raw = new RawFixture(dir);
    }

    private void vqa() {
        raw.file("q.json", """
                {"questions": [{"question_id": 1, "image_id": 9, "question": "What is it?"},
                 {"question_id": 2, "image_id": 25, "question": "Where?"},
                 {"question_id": 3, "image_id": "9", "question": "How many?"}]}""");
        raw.file("a.json", """
                {"annotations": [
                 {"question_id": 3, "answers": [{"answer": "2"}, {"answer": "3"}, {"answer": "3"}, {"answer": "2"}]},
                 {"question_id": 2, "answers": [{"answer": "here"}, {"answer": "there"}], "multiple_choice_answer": "there"},
                 {"question_id": 1, "answers": [{"answer": "net"}, {"answer": "mesh"}, {"answer": "mesh"}]}]}""");
    }

    @Test
    void questionsOfAnImageAreMergedWithOnePrompt() {
        vqa();
        Built built = raw.build(VQA);
        assertThat(built.records()).hasSize(2);
        assertThat(built.records().getFirst().images()).containsExactly("coco/train2017/000000000009.jpg");
        assertThat(built.texts(0)).containsExactly("<image>\nWhat is it?" + SHORT, "mesh", "How many?", "2");
        assertThat(raw.build(VQA, "s.merge-by-image=false").records()).hasSize(3);
        assertThat(raw.build(VQA, "prompt-once=false").texts(0)).contains("How many?" + SHORT);
    }

    @Test
    void mostFrequentAnswerIsUsed() {
        vqa();
        assertThat(raw.build(VQA).texts(0)).contains("mesh", "2");
        assertThat(raw.build(VQA).texts(1)).contains("there");
        assertThat(raw.build(VQA, "most-frequent-answer=false").texts(0)).contains("net");
        assertThat(raw.build(VQA, "most-frequent-answer=false").texts(1)).contains("here");
    }

    @Test
    void cocoNamesAreThoseOf2017AndIdsNameTheirSource() {
        vqa();
        Built old = raw.build(VQA, "coco-2017-names=false", "source-in-id=false");
        assertThat(old.records().getFirst().images()).containsExactly("coco/train2017/COCO_train2014_000000000009.jpg");
        assertThat(old.records().getFirst().id()).isEqualTo("9");
        assertThat(raw.build(VQA).records().getFirst().id()).isEqualTo("s-9");
    }

    @Test
    void recordsWithoutTheirImageAreLeftOutAndListed() throws IOException {
        vqa();
        Files.createDirectories(dir.resolve("images/coco/train2017"));
        Files.createFile(dir.resolve("images/coco/train2017/000000000025.jpg"));
        String images = "images='" + dir.resolve("images") + "'";
        Built built = raw.build(VQA, images);
        assertThat(built.records()).hasSize(1);
        assertThat(built.counts()).containsEntry("image-presence", 1);
        assertThat(built.leftOut())
                .singleElement()
                .asString()
                .contains("000000000009.jpg", "\"rule\":\"image-presence\"");
        assertThat(raw.build(VQA, images, "image-presence=false").records()).hasSize(2);
    }

    @Test
    void gqaTakesTheBalancedSetAndCapitalAnswers() {
        raw.file("g.json", """
                {"1": {"question": "Is it red?", "imageId": "n7", "answer": "yes", "isBalanced": true},
                 "2": {"question": "Is it blue?", "imageId": "n7", "answer": "no", "isBalanced": false}}""");
        String gqa = "kind: gqa\nfiles: {questions: g.json}\nimages: gqa/images\nresponse-format: short";
        assertThat(raw.build(gqa).texts(0)).containsExactly("<image>\nIs it red?" + SHORT, "Yes");
        assertThat(raw.build(gqa).records().getFirst().images()).containsExactly("gqa/images/n7.jpg");
        assertThat(raw.build(gqa, "capital-answer=false").texts(0)).contains("yes");
        assertThat(raw.build(gqa, "training-split=false").texts(0)).hasSize(4);
    }

    private void choices() {
        raw.file("a.json", """
                [{"split": "train", "image_id": 5, "question_id": "a", "question": "Why?",
                  "choices": ["sun", "rain", "snow", "wind"], "correct_choice_idx": 1},
                 {"split": "val", "image_id": 6, "question_id": "b", "question": "Who?",
                  "choices": ["x", "y", "z", "w"], "correct_choice_idx": 0}]""");
    }

    @Test
    void multipleChoiceQuestionIsRepeatedSoThatEachLetterIsRightOnce() {
        choices();
        Built built = raw.build(A_OKVQA);
        assertThat(built.records()).hasSize(4);
        assertThat(built.texts(0)).containsExactly("<image>\nWhy?\nA. sun\nB. rain\nC. snow\nD. wind" + LETTER, "B");
        assertThat(built.texts(1)).containsExactly("<image>\nWhy?\nA. rain\nB. snow\nC. wind\nD. sun" + LETTER, "A");
        assertThat(IntStream.range(0, 4).mapToObj(i -> built.texts(i).get(1)))
                .containsExactlyInAnyOrder("A", "B", "C", "D");
        assertThat(raw.build(A_OKVQA, "repeat-by-options=false").records()).hasSize(1);
        Built kept = raw.build(A_OKVQA, "option-order=keep");
        assertThat(IntStream.range(0, 4).mapToObj(i -> kept.texts(i).get(1))).containsOnly("B");
        assertThat(raw.build(A_OKVQA, "training-split=false").records()).hasSize(8);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shuffledOptionsKeepTheRightAnswer(long seed) {
        choices();
        Built built = raw.build(A_OKVQA, seed, 1, "option-order=shuffle");
        for (int i = 0; i < 4; i++) {
            String question = built.texts(i).getFirst();
            assertThat(question).contains("\n" + built.texts(i).get(1) + ". rain");
        }
    }

    @Test
    void conversationsAreSampledBySeed() {
        StringBuilder books = new StringBuilder("{");
        for (int i = 0; i < 50; i++) {
            books.append(
                    "%s\"b%d\": {\"questions\": [\"Who?\", \"What?\"], \"answers\": [\"A%d\", \"T\"], \"split\": %d}"
                            .formatted(i == 0 ? "" : ", ", i, i, i < 40 ? 1 : 2));
        }
        raw.file("d.json", books + "}");
        assertThat(raw.build(OCR_VQA).records()).hasSize(40);
        assertThat(raw.build(OCR_VQA, "training-split=false").records()).hasSize(50);
        Built sample = raw.build(OCR_VQA, "s.sample=10");
        assertThat(sample.records()).hasSize(10);
        assertThat(sample.counts()).containsEntry("sample", 30).containsEntry("training-split", 10);
        assertThat(sample.records())
                .isNotEqualTo(raw.build(OCR_VQA, 2, 1, "s.sample=10").records());
        assertThat(sample.texts(0).getFirst()).isEqualTo("<image>\nWho?" + SHORT);
    }

    private void regions(int count) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(
                    "{\"region_id\": %d, \"phrase\": \"thing %d \", \"x\": %d, \"y\": 100, \"width\": 50, \"height\": 60}"
                            .formatted(i, i, i));
        }
        raw.file("r.json", "[{\"id\": 1, \"regions\": [" + String.join(", ", all) + "]}]");
        raw.file(
                "i.json",
                "[{\"image_id\": 1, \"width\": 800, \"height\": 600, \"url\": \"https://x/y/VG_100K_2/1.jpg\"}]");
    }

    @Test
    void atMostTenRegionsOfAnImageAreDrawn() {
        regions(25);
        Built built = raw.build(VG);
        assertThat(built.records().getFirst().turns()).hasSize(20);
        assertThat(built.records().getFirst().images()).containsExactly("vg/VG_100K_2/1.jpg");
        assertThat(raw.build(VG, "max-regions=0").records().getFirst().turns()).hasSize(50);
        assertThat(raw.build(VG, 2, 1).records()).isNotEqualTo(built.records());
    }

    @Test
    void boxesAreFractionsOfThePaddedSquare() {
        regions(1);
        assertThat(raw.build(VG, "region-form=describe").texts(0))
                .containsExactly("<image>\n" + REGION + "[0.0, 0.25, 0.06, 0.33].", "Thing 0.");
        assertThat(raw.build(VG, "region-form=locate").texts(0))
                .containsExactly("<image>\n" + BOX + "thing 0.", "[0.0, 0.25, 0.06, 0.33]");
        assertThat(raw.build(VG, "region-form=locate", "padded-boxes=false").texts(0))
                .contains("[0.0, 0.17, 0.06, 0.27]");
        assertThat(raw.build(VG, "region-form=describe", "region-sentence=false")
                        .texts(0))
                .contains("thing 0");
    }

    @Test
    void bothRegionFormsAreDrawn() {
        regions(10);
        List<String> texts = raw.build(VG).texts(0);
        assertThat(texts).anyMatch(text -> text.contains(REGION)).anyMatch(text -> text.contains(BOX));
    }

    private void references(int sentences) {
        List<String> all = IntStream.range(0, sentences)
                .mapToObj(i -> "{\"sent\": \"man %d\"}".formatted(i))
                .toList();
        raw.file("refs.json", """
                [{"ref_id": 1, "ann_id": 4, "image_id": 7, "split": "train", "sentences": [%s]},
                 {"ref_id": 2, "ann_id": 4, "image_id": 7, "split": "testA", "sentences": [{"sent": "boy"}]}]""".formatted(String.join(", ", all)));
        raw.file("i.json", """
                {"images": [{"id": 7, "file_name": "COCO_train2014_000000000007.jpg", "width": 100, "height": 200}],
                 "annotations": [{"id": 4, "bbox": [10, 20.5, 30, 40]}]}""");
    }

    @ParameterizedTest
    @CsvSource({"9,9", "10,9 1", "18,9 9", "19,9 9 1"})
    void longConversationsAreSplitIntoSegmentsOfAtMostNinePairs(int sentences, String segments) {
        references(sentences);
        Built built = raw.build(REF_COCO);
        assertThat(String.join(
                        " ",
                        built.records().stream()
                                .map(record -> Integer.toString(record.turns().size() / 2))
                                .toList()))
                .isEqualTo(segments);
        assertThat(built.records())
                .allMatch(record -> record.turns().getFirst().text().startsWith("<image>\nPlease provide"));
        assertThat(raw.build(REF_COCO, "max-pairs=0").records()).hasSize(1);
        assertThat(raw.build(REF_COCO, "merge-by-image=false").records()).hasSize(sentences);
        assertThat(raw.build(REF_COCO, "training-split=false", "max-pairs=0")
                        .records()
                        .getFirst()
                        .turns())
                .hasSize(2 * sentences + 2);
    }

    @Test
    void rulesKeepTheirOldNamesAsAliases() {
        references(12);
        assertThat(pairs(raw.build(REF_COCO, "max-pairs=5"))).containsExactly(5, 5, 2);
        for (String old : List.of("fewer-pairs-than=6", "s.fewer-pairs-than=6", "sources.s.rules.fewer-pairs-than=6")) {
            Built built = raw.build(REF_COCO, old);
            assertThat(pairs(built)).containsExactly(5, 5, 2);
            assertThat(built.manifest().sources().getFirst().rules())
                    .containsEntry("max-pairs", "5")
                    .doesNotContainKey("fewer-pairs-than");
        }
        assertThat(pairs(raw.build(REF_COCO + "\nrules: {fewer-pairs-than: 10}")))
                .containsExactly(9, 3);
        assertThat(pairs(raw.build(REF_COCO, "fewer-pairs-than=0"))).containsExactly(12);
        regions(10);
        assertThat(pairs(raw.build(VG, "most-regions=4"))).containsExactly(4);
        assertThatThrownBy(() -> raw.build(REF_COCO + "\nrules: {fewer-pairs-than: 10, max-pairs: 3}"))
                .hasMessageContaining("sources.s.rules sets rule max-pairs under its old name, too");
        assertThatThrownBy(() -> raw.build(REF_COCO, "fewer-pairs-than=few"))
                .hasMessageContaining("max-pairs must be a whole number, 0 for off, not 'few'");
    }

    private static List<Integer> pairs(Built built) {
        return built.records().stream().map(record -> record.turns().size() / 2).toList();
    }

    @Test
    void referenceHasBoxAndWords() {
        references(1);
        Built built = raw.build(REF_COCO, "region-form=describe");
        assertThat(built.records().getFirst().images()).containsExactly("coco/train2017/000000000007.jpg");
        assertThat(built.texts(0)).containsExactly("<image>\n" + REGION + "[0.3, 0.1, 0.45, 0.3].", "Man 0.");
    }

    @Test
    void imageHasOneCaptionAndItsOcrTokens() {
        raw.file("c.json", """
                {"data": [{"image_id": "a1", "caption_str": "One.", "set_name": "train"},
                 {"image_id": "a1", "caption_str": "Two.", "set_name": "train"},
                 {"image_id": "b2", "caption_str": "Other.", "set_name": "train"},
                 {"image_id": "c3", "caption_str": "Val.", "set_name": "val"}]}""");
        raw.file("o.json", "{\"data\": [{\"image_id\": \"a1\", \"ocr_tokens\": [\"EXIT\", \"12\"]}]}");
        String prompt = "<image>\nProvide a one-sentence caption for the provided image.";
        Built built = raw.build(CAPTIONS, "captions=first");
        assertThat(built.records()).hasSize(2);
        assertThat(built.texts(0)).containsExactly(prompt + "\nReference OCR token: EXIT, 12", "One.");
        assertThat(built.texts(1)).containsExactly(prompt, "Other.");
        assertThat(raw.build(CAPTIONS, "captions=first", "read-text=false").texts(0))
                .contains(prompt);
        assertThat(raw.build(CAPTIONS, "captions=each").records()).hasSize(3);
        assertThat(raw.build(CAPTIONS).texts(0).get(1)).isIn("One.", "Two.");
    }

    private static String chat(String... fromAndValue) {
        List<String> turns = new ArrayList<>();
        for (int i = 0; i < fromAndValue.length; i += 2) {
            turns.add("{\"from\": \"%s\", \"value\": \"%s\"}".formatted(fromAndValue[i], fromAndValue[i + 1]));
        }
        return "{\"id\": \"c\", \"conversations\": [" + String.join(", ", turns) + "]}";
    }

    /** Builds of a bad conversation and a good one, which keeps the mixture from being empty. */
    private Built chats(String chat, String... settings) {
        raw.file("s.json", "[" + chat + ", " + chat("user", "A good question?", "chatgpt", "A good answer.") + "]");
        return raw.build(CHATS, settings);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    blocked-words      | human | Who made you, please? | gpt | It was OpenAI.
                    blocked-replies    | human | Who made you, please? | gpt | Too many requests in 1 hour. Try again later.
                    no-broken-lists    | human | Tell me three things. | gpt | 1. one\\n1. another\\n
                    min-characters  | human | Hi | gpt | Hello
                    no-template-markers| human | Hello my good friend | gpt | I end here</s>
                    deduplicate        | human | A good question? | gpt | A good answer.
                    """)
    void vicunasRulesRejectConversations(String rule, String from, String question, String other, String answer) {
        String chat = chat(from.strip(), question.strip(), other.strip(), answer.strip());
        Built built = chats(chat);
        assertThat(built.records()).hasSize(1);
        assertThat(built.counts()).containsExactly(Map.entry(rule, 1));
        assertThat(built.leftOut()).singleElement().asString().contains("\"rule\":\"" + rule + "\"");
        assertThat(chats(chat, rule + "=" + (rule.equals("min-characters") ? "0" : "false"))
                        .records())
                .hasSize(2);
    }

    @Test
    void turnsBeforeTheFirstQuestionAndAfterTheLastAnswerAreDropped() {
        String greeted = chat("system", "Be nice.", "gpt", "Hello there!", "human", "A question?", "gpt", "An answer.");
        assertThat(chats(greeted).texts(0)).containsExactly("A question?", "An answer.");
        assertThat(chats(greeted, "drop-leading-answers=false").records()).hasSize(1);
        String open = chat("human", "A question?", "gpt", "An answer.", "human", "And then?");
        assertThat(chats(open).texts(0)).containsExactly("A question?", "An answer.");
        assertThat(chats(open, "drop-trailing-question=false").counts()).containsEntry("invalid", 1);
    }

    @Test
    void speakersMustAlternate() {
        String twice = chat("human", "One question?", "human", "Another?", "bing", "An answer.");
        assertThat(chats(twice).counts()).containsEntry("strict-alternation", 1);
        assertThat(chats(twice, "strict-alternation=false").texts(0))
                .containsExactly("One question?\nAnother?", "An answer.");
    }

    @Test
    void conversationEndsBeforeAnEmptyTurn() {
        String empty = chat("human", "A question?", "gpt", "An answer.", "human", "More?", "gpt", " ");
        assertThat(chats(empty).texts(0)).containsExactly("A question?", "An answer.");
        assertThat(chats(empty, "stop-at-empty=false").counts()).containsEntry("invalid", 1);
        String unprintable = chat("human", "A question?", "gpt", "\\u200bAn answer.");
        assertThat(chats(unprintable).counts()).containsEntry("min-turns", 1);
        assertThat(chats(unprintable, "stop-at-empty=false").records()).hasSize(2);
    }

    @Test
    void shortConversationsAreLeftOut() {
        String one = chat("human", "A question without an answer?");
        assertThat(chats(one).counts()).containsEntry("min-turns", 1);
        assertThat(chats(one, "min-turns=0").counts()).containsExactly(Map.entry("min-characters", 1));
    }

    @Test
    void htmlBecomesMarkdown() {
        String html = chat(
                "human", "Is a < b?", "gpt", "<p>Yes, <strong>always</strong>:</p><ol><li>one</li><li>two</li></ol>");
        assertThat(chats(html).texts(0).getFirst()).isEqualTo("Is a < b?");
        assertThat(chats(html).texts(0).get(1))
                .contains("Yes, **always**:")
                .contains("two")
                .doesNotContain("<");
        assertThat(chats(html, "html-to-markdown=false").texts(0).get(1)).startsWith("<p>");
    }

    @Test
    void languagesAreSkippedByRule() {
        String korean = chat("human", "안녕하세요 반갑습니다 오늘", "gpt", "네 반갑습니다 무엇을 도와드릴까요");
        assertThat(chats(korean).records()).hasSize(2);
        assertThat(chats(korean, "skip-languages=ko,ja").counts()).containsEntry("skip-languages", 1);
    }
}
