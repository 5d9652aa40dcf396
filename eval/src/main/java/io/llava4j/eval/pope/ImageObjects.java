package io.llava4j.eval.pope;

import java.util.List;

/**
 * What is in an image.
 *
 * @param image file name
 * @param objects names of the categories present, each once, in order of first annotation
 */
public record ImageObjects(String image, List<String> objects) {}
