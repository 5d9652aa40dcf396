import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;
import io.llava4j.text.Turn;
import java.nio.file.Path;
import java.util.List;

/** Streams the answer to a question about an image. Arguments: MODEL IMAGE QUESTION. */
public final class AskAnImage {
    public static void main(String[] args) {
        try (LlavaPipeline llava = LlavaPipeline.open(Path.of(args[0]))) {
            RgbImage image = ImageDecoder.decode(Path.of(args[1]));
            Turn question = Turn.human("<image>\n" + args[2]);
            ChatRequest request = new ChatRequest(List.of(question), List.of(image));
            llava.stream(request, GenerationOptions.greedy(128), text -> {
                System.out.print(text);
                return true; // false stops the answer
            });
            System.out.println();
        }
    }
}
