import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;
import io.llava4j.text.Turn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Answers several questions about one image in one batch. Arguments: MODEL IMAGE QUESTION... */
public final class AnswerInBatches {
    public static void main(String[] args) {
        RgbImage image = ImageDecoder.decode(Path.of(args[1]));
        List<ChatRequest> batch = new ArrayList<>();
        for (String question : List.of(args).subList(2, args.length)) {
            batch.add(new ChatRequest(List.of(Turn.human("<image>\n" + question)), List.of(image)));
        }
        try (LlavaPipeline llava = LlavaPipeline.open(Path.of(args[0]))) {
            llava.answer(batch, GenerationOptions.greedy(128)).forEach(System.out::println);
        }
    }
}
