package io.llava4j.train.data.format;

import io.llava4j.DataException;
import io.llava4j.io.Quote;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Finds the images of a row. Where none is found, a key that speaks of an image or a video is an error: such a row must not
 * become a sample without its image.
 */
final class RowImages {
    /** Keys that always hold images, in the order in which they are looked for; written without {@code _} and capitals. */
    private static final List<String> KEYS = List.of(
            "image",
            "imagepath",
            "filename",
            "images",
            "imagefile",
            "imagename",
            "imagefilename",
            "imagepaths",
            "imagefiles",
            "img",
            "imgs",
            "imgpath",
            "imgname",
            "imgfile",
            "picture",
            "pictures",
            "picturepath",
            "photo",
            "photos",
            "photopath",
            "imageurl",
            "imageurls",
            "imgurl",
            "pixelvalues");

    /** Keys that hold images in rows of one question or caption, and elsewhere only if the value is the name of an image. */
    private static final List<String> WEAK_KEYS =
            List.of("url", "path", "file", "filepath", "key", "urls", "paths", "files", "filepaths");

    /** Keys of an object that describes one image. */
    private static final List<String> PARTS =
            List.of("path", "image", "url", "image_url", "file_name", "filename", "file", "source", "data", "base64");

    private static final Set<String> LABELS = Set.of("id", "questionid", "imageid", "key");
    private static final Set<String> TEXTS = Set.of(
            "question", "answer", "answers", "caption", "text", "source", "dataset", "hint", "system", "systemprompt");
    private static final Set<String> TURNS = Set.of("conversations", "messages", "texts");
    private static final Set<String> OTHER_MEDIA =
            Set.of("video", "videos", "videopath", "audio", "audios", "audiopath");

    /** Keys for the images of a row with several: {@code image_1}, {@code img2}. */
    private static final Pattern NUMBERED = Pattern.compile("(?:image|img|picture|photo)(\\d{1,3})");

    private RowImages() {}

    /** Whether a field of this name always holds images. */
    static boolean isImageKey(String field) {
        return KEYS.contains(plain(field)) || NUMBERED.matcher(plain(field)).matches();
    }

    /** The values of a row's keys for images, in their order: the first of {@link #KEYS}, then the numbered ones. */
    static SequencedMap<String, JsonNode> known(JsonNode row) {
        SequencedMap<String, JsonNode> known = new LinkedHashMap<>();
        for (int i = 0; i < KEYS.size() && known.isEmpty(); i++) {
            for (var entry : row.properties()) {
                if (known.isEmpty() && plain(entry.getKey()).equals(KEYS.get(i)) && hasContent(entry.getValue())) {
                    known.put(entry.getKey(), entry.getValue());
                }
            }
        }
        row.properties().stream()
                .filter(entry -> NUMBERED.matcher(plain(entry.getKey())).matches() && hasContent(entry.getValue()))
                .sorted(Comparator.comparingInt(entry -> number(entry.getKey())))
                .forEach(entry -> known.put(entry.getKey(), entry.getValue()));
        return known;
    }

    private static int number(String key) {
        Matcher numbered = NUMBERED.matcher(plain(key));
        return numbered.matches() ? Integer.parseInt(numbered.group(1)) : 0;
    }

    /** Puts the images of a row under {@code image} alone. */
    static void replace(ObjectNode row, List<String> images) {
        List.copyOf(row.propertyNames()).stream().filter(RowImages::isImageKey).forEach(row::remove);
        if (images.size() == 1) {
            row.put("image", images.getFirst());
        } else {
            images.forEach(row.putArray("image")::add);
        }
    }

    /**
     * Names of a row's images.
     *
     * @param single whether the row is one question or caption
     * @throws DataException if the row is about a video, or names an image under a key that is not known
     */
    static List<String> of(JsonNode row, boolean single) {
        row.properties().forEach(entry -> {
            if (OTHER_MEDIA.contains(plain(entry.getKey())) && hasContent(entry.getValue())) {
                throw new DataException("it is about a %s, which cannot be used; remove the record"
                        .formatted(plain(entry.getKey()).startsWith("video") ? "video" : "sound"));
            }
        });
        List<String> images = named(row);
        if (!images.isEmpty()) {
            return images;
        }
        for (var entry : row.properties()) {
            String key = plain(entry.getKey());
            if (TEXTS.contains(key) || TURNS.contains(key)) {
                continue;
            }
            String name = imageName(entry.getValue());
            boolean named = !name.isEmpty();
            if (WEAK_KEYS.contains(key) && hasContent(entry.getValue()) && (named || (single && !key.equals("key")))) {
                return names(entry.getKey(), entry.getValue());
            }
            if (named && !LABELS.contains(key)) {
                throw new DataException("its '%s' names an image (%s) but is not known as one; call it image"
                        .formatted(entry.getKey(), Quote.of(name)));
            }
        }
        return List.of();
    }

    /** Whether a message has images of its own; most have only a speaker and a text. */
    static boolean hasImages(JsonNode turn) {
        return turn.size() > 2 && !known(turn).isEmpty();
    }

    /** Names of the images under keys that always hold images, of a row or, as Ollama has them, of one message. */
    static List<String> named(JsonNode rowOrTurn) {
        List<String> images = new ArrayList<>();
        known(rowOrTurn).forEach((key, value) -> images.addAll(names(key, value)));
        return images;
    }

    /**
     * Name of the image of a part of a message; empty if the part is only the place of an image.
     *
     * @param part with {@code type} {@code image} or {@code image_url}
     */
    static String ofPart(JsonNode part) {
        for (String key : PARTS) {
            JsonNode value = part.path(key);
            String name = value.isObject() ? ofPart(value) : key.equals("source") ? "" : value.stringValue("");
            if (!name.isBlank()) {
                return name;
            }
        }
        return "";
    }

    private static List<String> names(String key, JsonNode value) {
        List<String> names = new ArrayList<>();
        for (JsonNode one : value.isArray() ? value : List.of(value)) {
            String name = one.isObject() ? ofPart(one) : one.stringValue("");
            if (name.isBlank()) {
                throw new DataException(
                        "its '%s' is not the name of an image; write a path, or a list of paths".formatted(key));
            }
            names.add(name);
        }
        return names;
    }

    private static boolean hasContent(JsonNode value) {
        boolean empty = value.isNull()
                || (value.isString() && value.stringValue("").isBlank())
                || (value.isContainer() && value.isEmpty())
                || (value.isNumber() && Double.isNaN(value.doubleValue()));
        return !empty;
    }

    /** A value that is the name of an image, or the first such text within a list or an object; empty if there is none. */
    private static String imageName(JsonNode value) {
        if (value.isContainer()) {
            return value.valueStream()
                    .map(RowImages::imageName)
                    .filter(name -> !name.isEmpty())
                    .findFirst()
                    .orElse("");
        }
        String text = value.stringValue("");
        String name = text.toLowerCase(Locale.ROOT);
        int dot = name.lastIndexOf('.');
        boolean file = dot > 0 && name.indexOf('\n') < 0 && CaptionedFolder.IMAGES.contains(name.substring(dot + 1));
        return file || ImageLocator.isEmbedded(text) ? text : "";
    }

    private static String plain(String key) {
        return key.toLowerCase(Locale.ROOT).replaceAll("[ _-]", "");
    }
}
