package io.llava4j.generate.session;

import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.ImageTokens;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Image tokens; an image that several placeholders show (the same object) goes through the vision tower once. */
final class EncodedImages {
    private final Map<PreparedImage, Integer> index = new IdentityHashMap<>();
    private final List<PreparedImage> distinct = new ArrayList<>();
    private final ImageTokens tokens;

    /** All images go through the tower as one batch. */
    EncodedImages(LlavaModel model, List<PreparedImage> placed) {
        for (PreparedImage image : placed) {
            if (index.putIfAbsent(image, distinct.size()) == null) {
                distinct.add(image);
            }
        }
        tokens = model.encode(distinct);
    }

    LlavaModel.Spliced assemble(LlavaModel model, List<ImagePrompt> prompts) {
        int[] placed = prompts.stream()
                .flatMap(prompt -> prompt.images().stream())
                .mapToInt(index::get)
                .toArray();
        List<int[]> ids = prompts.stream().map(ImagePrompt::ids).toList();
        return model.assemble(
                new ModelInput(ids, null, distinct, placed), placed.length == 0 ? ImageTokens.NONE : tokens);
    }
}
