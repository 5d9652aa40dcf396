package io.llava4j.text;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Where the tests of this package find reference data. */
final class TokenizerGoldens {
    static final Path DIR = Path.of("../../shared/goldens/tokenizer");
    static final Path LLAMA2 = Path.of("../../shared/realdata/tokenizer-llama2");

    private TokenizerGoldens() {}

    static JsonNode json(String name) {
        return JsonMapper.builder().build().readTree(require(DIR.resolve(name)));
    }

    static SentencePieceTokenizer tokenizer() {
        require(DIR);
        return Holder.TOKENIZER;
    }

    /** Loaded once for all tests. */
    private static final class Holder {
        static final SentencePieceTokenizer TOKENIZER = SentencePieceTokenizer.load(DIR);
    }

    static Path require(Path path) {
        assumeTrue(Files.exists(path), () -> "reference data " + path + " is not here");
        return path;
    }

    static int[] ids(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
    }
}
