package io.llava4j.generate.session;

import io.llava4j.model.ImageTokens;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Image tokens; an image that several placeholders show (the same array) goes through the vision tower once. */
final class EncodedImages {
    private final Map<float[], Integer> index = new IdentityHashMap<>();
    private final List<float[]> distinct = new ArrayList<>();
    private final ImageTokens tokens;

    private EncodedImages(List<float[]> placed, Function<List<float[]>, ImageTokens> encode) {
        for (float[] image : placed) {
            if (index.putIfAbsent(image, distinct.size()) == null) {
                distinct.add(image);
            }
        }
        tokens = encode.apply(distinct);
    }

    /** All images go through the tower as one batch. */
    static EncodedImages together(LlavaModel model, List<float[]> placed) {
        return new EncodedImages(placed, model::encode);
    }

    /** Every image goes through the tower alone, so that its tokens do not depend on the others. */
    static EncodedImages oneByOne(LlavaModel model, List<float[]> placed) {
        return new EncodedImages(
                placed,
                images -> ImageTokens.concatenate(images.stream()
                        .map(image -> model.encode(List.of(image)))
                        .toList()));
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
