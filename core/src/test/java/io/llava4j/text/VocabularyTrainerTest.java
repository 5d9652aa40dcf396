package io.llava4j.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VocabularyTrainerTest {
    private static final String[] COMMON = {"the", "image", "elephant", "umbrella", "left", "question", "of", "café"};
    private static final List<String> TEXTS = texts();

    @TempDir
    private static Path dir;

    private static SentencePieceTokenizer tokenizer;

    @BeforeAll
    static void train() {
        tokenizer = VocabularyTrainer.train(TEXTS.iterator(), 800, dir);
    }

    private static List<String> texts() {
        Random random = new Random(8);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            StringBuilder text = new StringBuilder("USER:");
            for (int k = 0; k < 8; k++) {
                text.append(' ').append(COMMON[random.nextInt(COMMON.length)]);
            }
            // Rare words, so that there are merges left.
            for (int k = 0; k < 5; k++) {
                text.append((char) ('a' + random.nextInt(26)));
            }
            texts.add(text.append(", ")
                    .append(random.nextInt(1000))
                    .append("?\nLook: yes!")
                    .toString());
        }
        return texts;
    }

    @Test
    void hasTheSizeAndTheSpecialTokensOfLlama() {
        assertThat(tokenizer.vocabSize()).isEqualTo(800);
        assertThat(new int[] {tokenizer.unkId(), tokenizer.bosId(), tokenizer.eosId(), tokenizer.padId()})
                .containsExactly(0, 1, 2, 0);
        assertThat(tokenizer.legacy()).isFalse();
        assertThat(tokenizer.piece(13)).isEqualTo("<0x0A>");
        assertThat(tokenizer.model().scores()[259]).isZero();
        assertThat(tokenizer.model().scores()[799]).isEqualTo(-540);
    }

    @Test
    void frequentWordsAreOnePiece() {
        for (String word : COMMON) {
            assertThat(tokenizer.encode(word)).as(word).hasSize(1);
        }
        assertThat(tokenizer.encode("</s>Look"))
                .as("also without a space before")
                .hasSize(2);
    }

    @Test
    void piecesStayInsideAWord() {
        for (int id = 259; id < tokenizer.vocabSize(); id++) {
            String piece = tokenizer.piece(id);
            assertThat(piece.lastIndexOf('\u2581')).as(piece).isLessThanOrEqualTo(0);
            assertThat(piece.length() > 1 && piece.codePoints().anyMatch(Character::isDigit))
                    .as("a digit in '%s'", piece)
                    .isFalse();
        }
    }

    @Test
    void everyTextComesBack() {
        Random random = new Random(9);
        for (int i = 0; i < 1000; i++) {
            String text = RandomText.next(random);
            assertThat(tokenizer.decode(tokenizer.encode(text), true)).isEqualTo(text);
        }
    }

    /** The learner keeps every word as the tokenizer encodes it, so every piece that was learnt is reachable. */
    @Test
    void everyLearntPieceIsWhatItsTextEncodesTo() {
        TrainingUnits units = new TrainingUnits();
        TEXTS.forEach(units::add);
        List<String> learnt = new MergeLearner(units).learn(300);
        BpeMerger merger = new BpeMerger(tokenizer.model());
        for (String piece : learnt) {
            Encoding.Builder out = new Encoding.Builder();
            merger.encode(piece, 0, 0, out);
            assertThat(out.build().ids()).as(piece).hasSize(1);
        }
    }

    @Test
    void orderOfTheTextsDoesNotMatter(@TempDir Path other) throws IOException {
        List<String> shuffled = new ArrayList<>(TEXTS);
        Collections.shuffle(shuffled, new Random(10));
        VocabularyTrainer.train(shuffled.iterator(), 800, other);
        assertThat(Files.readAllBytes(other.resolve("tokenizer.model")))
                .isEqualTo(Files.readAllBytes(dir.resolve("tokenizer.model")));
        try (var files = Files.list(other)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("tokenizer.model", "tokenizer_config.json");
        }
    }

    @Test
    void tooLittleTextNamesThePossibleSize(@TempDir Path other) {
        List<String> little = List.of("a cat", "a dog");
        assertThatThrownBy(() -> VocabularyTrainer.train(little.iterator(), 500, other))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("ask for a vocabulary of 273");
        assertThat(VocabularyTrainer.train(little.iterator(), 273, other).encode("cat dog"))
                .hasSize(2);
        assertThat(IntStream.range(259, 273)
                        .mapToObj(SentencePieceTokenizer.load(other)::piece)
                        .toList())
                .contains("\u2581cat", "\u2581dog", "\u2581a");
    }

    /** Its own pieces and texts stay as they are; characters that were bytes become pieces, frequent words one each. */
    @Test
    void anExtendedVocabularyKeepsItsPieces(@TempDir Path other) throws IOException {
        List<String> chinese = List.of("the 猫 of 老鼠", "老鼠？\nthe image 大象", "大象 老鼠 象");
        int added = 6 + 2; // characters and words
        SentencePieceTokenizer extended = VocabularyTrainer.extend(dir, chinese.iterator(), 800 + added, other);

        assertThat(extended.model().pieces().subList(0, 800))
                .isEqualTo(tokenizer.model().pieces());
        assertThat(Arrays.copyOf(extended.model().scores(), 800))
                .containsExactly(tokenizer.model().scores());
        assertThat(extended.model().pieces().subList(800, 800 + added))
                .containsExactlyInAnyOrder("老鼠", "大象", "老", "鼠", "大", "象", "猫", "？");
        for (String text : TEXTS) {
            assertThat(extended.encode(text)).containsExactly(tokenizer.encode(text));
        }
        assertThat(extended.encode("\n老鼠大象？")).hasSize(2 + 3);
        for (String text : chinese) {
            assertThat(extended.decode(extended.encode(text), true)).isEqualTo(text);
        }
        assertThat(Files.readAllBytes(other.resolve("tokenizer_config.json")))
                .isEqualTo(Files.readAllBytes(dir.resolve("tokenizer_config.json")));
        assertThatThrownBy(() -> VocabularyTrainer.extend(dir, chinese.iterator(), 900, other))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("ask for a vocabulary of");
    }
}
