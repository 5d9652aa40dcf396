package io.llava4j.app.serve.request;

import io.llava4j.DataException;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.BodyBudget;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.Supplier;

/** Reads and decodes the images of requests. */
final class ImageLoader {
    private final ImageLimits limits;
    private final RemoteImages remote;
    private final ExifOrientation orientation;

    ImageLoader(ImageLimits limits, RemoteImages remote, ExifOrientation orientation) {
        this.limits = limits;
        this.remote = remote;
        this.orientation = orientation;
    }

    /**
     * The images of a request: their files are read or fetched now, and decoded when they are asked for.
     *
     * @param memory is charged for files that are fetched: before by what one may take, and then by its size
     * @throws ApiException naming the image that cannot be used, here or when it is decoded
     */
    List<Supplier<RgbImage>> read(List<ImageSource> images, BodyBudget.Share memory) {
        requireFew(images);
        List<Supplier<RgbImage>> decoders = new ArrayList<>();
        for (ImageSource image : images) {
            byte[] file = file(image, memory);
            decoders.add(() -> named(image, () -> ImageDecoder.decode(file, "at " + image.where(), orientation)));
        }
        return decoders;
    }

    /**
     * Refuses images that {@link #read} would, and those whose files show without decoding that they cannot be used.
     *
     * @throws ApiException naming the image
     */
    void check(List<ImageSource> images, BodyBudget.Share memory) {
        requireFew(images);
        for (ImageSource image : images) {
            try (BodyBudget.Share one = memory.another()) {
                byte[] file = file(image, one);
                named(image, () -> {
                    ImageDecoder.check(file, "at " + image.where());
                    return file;
                });
            }
        }
    }

    private void requireFew(List<ImageSource> images) {
        if (images.size() > limits.maxCount()) {
            throw new ApiException(
                    ApiException.Kind.INVALID,
                    "the request has %d images, more than the limit of %d".formatted(images.size(), limits.maxCount()));
        }
    }

    private byte[] file(ImageSource image, BodyBudget.Share memory) {
        return switch (image) {
            case ImageSource.Inline inline -> bytes(inline); // comes from the body, which was charged
            case ImageSource.Remote address -> fetch(address, memory);
        };
    }

    private static <T> T named(ImageSource image, Supplier<T> use) {
        try {
            return use.get();
        } catch (DataException e) {
            throw ApiException.invalid(image.where(), String.valueOf(e.getMessage()));
        }
    }

    private byte[] bytes(ImageSource.Inline image) {
        // Three bytes are four characters.
        if (image.base64().length() / 4 * 3L > limits.maxBytes() + 3L) {
            throw new ApiException(
                    ApiException.Kind.TOO_LARGE,
                    "the image at %s is larger than the limit of %d bytes; scale it down"
                            .formatted(image.where(), limits.maxBytes()));
        }
        try {
            return Base64.getDecoder().decode(image.base64());
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid(image.where(), "the image at " + image.where() + " is not valid base64");
        }
    }

    private byte[] fetch(ImageSource.Remote image, BodyBudget.Share memory) {
        if (!limits.remote()) {
            throw ApiException.invalid(
                    image.where(),
                    image.where() + " is an address, and addresses are not fetched here; send the image as a data: URL,"
                            + " or allow them with --allow-image-urls");
        }
        try (BodyBudget.Share download = memory.another()) {
            download.grow(RemoteImages.memory(limits.maxBytes()));
            byte[] file = remote.fetch(image.url(), limits.maxBytes());
            memory.add(file.length);
            return file;
        } catch (DataException e) {
            throw ApiException.invalid(image.where(), image.where() + ": " + e.getMessage());
        }
    }
}
