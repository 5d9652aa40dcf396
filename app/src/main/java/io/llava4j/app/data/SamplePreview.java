package io.llava4j.app.data;

import io.llava4j.DataException;
import io.llava4j.image.AspectMode;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.RgbImage;
import io.llava4j.image.tile.FeatureOrder;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.TileGrid;
import io.llava4j.text.Prompt;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Box;
import io.llava4j.train.data.Boxes;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.SamplePrompts;
import io.llava4j.train.data.format.Images;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A record as the model sees it.
 *
 * @param index of the record in the data file, from 0
 * @param record the record
 * @param tokens the sequence; each image is one of them
 * @param length of the sequence in tokens, image tokens included, before truncation
 * @param supervised number of supervised tokens
 * @param images after preprocessing, a tiled one as the canvas of its tiles; empty for text only and if one cannot be read
 * @param boxes named in the conversation, on the first image
 * @param problem why training would leave the record out; empty if it would not
 */
public record SamplePreview(
        int index,
        LlavaRecord record,
        List<Token> tokens,
        int length,
        int supervised,
        List<RgbImage> images,
        List<LabelledBox> boxes,
        String problem) {
    public SamplePreview {
        tokens = List.copyOf(tokens);
        images = List.copyOf(images);
        boxes = List.copyOf(boxes);
    }

    /** What training does with a token. */
    public enum Kind {
        /** Read, but no label: adds nothing to the loss. */
        MASKED,
        /** Supervised: the loss is taken at it. */
        SUPERVISED,
        /** Stands for an image; its image tokens take its place. */
        IMAGE,
        /** Beyond the longest sequence. */
        TRUNCATED
    }

    /**
     * A token, or the byte tokens that make up a character.
     *
     * @param text as it reads, a line feed as itself
     */
    public record Token(String text, Kind kind) {}

    /**
     * A box on the preprocessed image.
     *
     * @param corners left, top, right, bottom in its pixels
     * @param label what the conversation says about it
     */
    public record LabelledBox(double[] corners, String label) {}

    /**
     * Prepares a record as training does.
     *
     * @param index of the record in the data file, from 0
     * @param prompts makes its token ids and labels
     * @param preparation of its images
     * @param source of its images
     * @param orientation what becomes of their orientation tags
     */
    public static SamplePreview of(
            int index,
            LlavaRecord record,
            SamplePrompts prompts,
            ImagePreparation preparation,
            Images source,
            ExifOrientation orientation) {
        String problem = "";
        List<RgbImage> images = new ArrayList<>();
        List<FeatureOrder> orders = new ArrayList<>();
        List<LabelledBox> boxes = List.of();
        try {
            for (String image : record.images()) {
                RgbImage original = source.decode(image, orientation);
                if (images.isEmpty()) {
                    boxes = boxes(record, original, preparation);
                }
                ImageSize size = new ImageSize(original.width(), original.height());
                orders.add(preparation.order(size));
                images.add(
                        preparation.grid(size).isPresent()
                                ? preparation.canvas(original)
                                : preparation.processor().resize(original));
            }
        } catch (DataException e) {
            images.clear();
            orders.clear();
            boxes = List.of();
            problem = String.valueOf(e.getMessage());
        }
        Prompt prompt = new Prompt(new int[0], new int[0]);
        try {
            prompt = prompts.whole(record);
            Prompt truncated = prompts.of(record);
            if (orders.size() == truncated.imageCount()) {
                prompts.requireAnswer(truncated, tokens(orders, prompts));
            }
        } catch (DataException e) {
            problem = String.valueOf(e.getMessage());
        }
        return new SamplePreview(
                index,
                record,
                tokens(prompt, prompts, orders),
                prompts.sequenceLength(prompt, tokens(orders, prompts)),
                prompts.supervised(prompt, tokens(orders, prompts)),
                images,
                boxes,
                problem);
    }

    private static int[] tokens(List<FeatureOrder> orders, SamplePrompts prompts) {
        return orders.stream()
                .mapToInt(order -> order.tokens(prompts.tokensPerView()))
                .toArray();
    }

    private static List<Token> tokens(Prompt prompt, SamplePrompts prompts, List<FeatureOrder> orders) {
        SentencePieceTokenizer tokenizer = prompts.builder().tokenizer();
        List<Token> tokens = new ArrayList<>();
        int position = 0;
        int image = 0;
        int i = 0;
        while (i < prompt.length()) {
            int id = prompt.ids()[i];
            if (id == Prompt.IMAGE_TOKEN_INDEX) {
                boolean truncated = position >= prompts.maxLength();
                // One that cannot be read counts as if it were not tiled.
                FeatureOrder order = image < orders.size() ? orders.get(image) : FeatureOrder.ONE_VIEW;
                image++;
                int count = order.tokens(prompts.tokensPerView());
                String views = order.views() == 1 ? "" : " of %d views".formatted(order.views());
                tokens.add(new Token(
                        "image, %d tokens%s".formatted(count, views), truncated ? Kind.TRUNCATED : Kind.IMAGE));
                position += count;
                i++;
                continue;
            }
            Kind kind = kind(prompt, i, position, prompts.maxLength());
            int end = i + 1;
            if (isByte(tokenizer, id)) {
                while (end < prompt.length()
                        && prompt.ids()[end] >= 0
                        && isByte(tokenizer, prompt.ids()[end])
                        && kind(prompt, end, position + end - i, prompts.maxLength()) == kind) {
                    end++;
                }
                tokens.add(
                        new Token(tokenizer.decode(java.util.Arrays.copyOfRange(prompt.ids(), i, end), false), kind));
            } else {
                tokens.add(new Token(tokenizer.piece(id).replace('\u2581', ' '), kind));
            }
            position += end - i;
            i = end;
        }
        return tokens;
    }

    private static Kind kind(Prompt prompt, int i, int position, int maxLength) {
        if (position >= maxLength) {
            return Kind.TRUNCATED;
        }
        return prompt.labels()[i] == Prompt.IGNORE_INDEX ? Kind.MASKED : Kind.SUPERVISED;
    }

    private static boolean isByte(SentencePieceTokenizer tokenizer, int id) {
        String piece = tokenizer.piece(id);
        return piece.length() == 6 && piece.startsWith("<0x") && piece.endsWith(">");
    }

    private static List<LabelledBox> boxes(LlavaRecord record, RgbImage original, ImagePreparation preparation) {
        List<LabelledBox> boxes = new ArrayList<>();
        for (int i = 0; i + 1 < record.turns().size(); i += 2) {
            Turn question = record.turns().get(i);
            Turn answer = record.turns().get(i + 1);
            Boxes.parse(question.text())
                    .filter(Box::isInside)
                    .ifPresent(box -> boxes.add(new LabelledBox(corners(box, original, preparation), answer.text())));
            String asked = question.text().replace(Turn.IMAGE_PLACEHOLDER, "").strip();
            Boxes.parse(answer.text())
                    .filter(Box::isInside)
                    .ifPresent(box -> boxes.add(new LabelledBox(
                            corners(box, original, preparation),
                            asked.substring(asked.lastIndexOf(':') + 1).strip())));
        }
        return boxes;
    }

    /** The data's boxes are shares of the padded square, whatever the preprocessing. */
    private static double[] corners(Box box, RgbImage original, ImagePreparation preparation) {
        double size = preparation.processor().size();
        if (preparation.processor().mode() == AspectMode.PAD) {
            return new double[] {box.x1() * size, box.y1() * size, box.x2() * size, box.y2() * size};
        }
        double[] pixels = Boxes.toPixels(box, original.width(), original.height());
        Optional<TileGrid> grid = preparation.grid(new ImageSize(original.width(), original.height()));
        if (grid.isPresent()) {
            double x = (double) grid.get().resized().width() / original.width();
            double y = (double) grid.get().resized().height() / original.height();
            return new double[] {
                grid.get().left() + pixels[0] * x,
                grid.get().top() + pixels[1] * y,
                grid.get().left() + pixels[2] * x,
                grid.get().top() + pixels[3] * y
            };
        }
        double scale = size / Math.min(original.width(), original.height());
        double left = (original.width() * scale - size) / 2;
        double top = (original.height() * scale - size) / 2;
        return new double[] {
            pixels[0] * scale - left, pixels[1] * scale - top, pixels[2] * scale - left, pixels[3] * scale - top
        };
    }
}
