package io.llava4j.generate;

import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.TinyModels;
import io.llava4j.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Prompts for {@link TinyModels} as an evaluation has them: several questions about each image. */
public final class QuestionBatch {
    private static final int IMAGE = Prompt.IMAGE_TOKEN_INDEX;

    private QuestionBatch() {}

    /** 34 questions of different lengths about 6 images, some about two, some about none. */
    public static List<ImagePrompt> prompts() {
        SplittableRandom random = new SplittableRandom(3);
        List<PreparedImage> images = random.longs(6).mapToObj(TinyModels::image).toList();
        List<ImagePrompt> prompts = new ArrayList<>();
        for (int i = 0; i < 34; i++) {
            PreparedImage image = images.get(i / 6);
            int[] question = random.ints(1 + random.nextInt(9), 3, 24).toArray();
            int[] ids = new int[question.length + 5];
            System.arraycopy(new int[] {1, 8, 9, IMAGE, 10}, 0, ids, 0, 5);
            System.arraycopy(question, 0, ids, 5, question.length);
            if (i % 11 == 5) {
                ids[ids.length - 1] = IMAGE;
                prompts.add(new ImagePrompt(ids, List.of(image, images.get(5 - i / 6))));
            } else if (i % 11 == 7) {
                ids[3] = 11;
                prompts.add(new ImagePrompt(ids, List.of()));
            } else {
                prompts.add(new ImagePrompt(ids, List.of(image)));
            }
        }
        return prompts;
    }
}
