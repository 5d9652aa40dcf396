package io.llava4j.image;

/**
 * Bicubic weights of one axis (docs/reference/preprocessing.md#resize): Keys' cubic with a = -0.5, stretched by the scale when shrinking, as integers
 * with 22 fractional bits. The image may lie inside a longer, solidly coloured canvas, which is never materialised:
 * weights that fall outside the image are summed into one.
 *
 * @param start per output, the first pixel of the image it reads; like {@code end}, never decreasing
 * @param end per output, one past the last pixel of the image it reads
 * @param weightAt per output, index into {@code weights} of the weight of pixel {@code start}
 * @param weights of all outputs, one after the other
 * @param outside per output, sum of the weights on the canvas around the image
 * @param total per output, sum of all its weights: about {@code 1 << 22}
 */
record ResampleAxis(int[] start, int[] end, int[] weightAt, int[] weights, int[] outside, int[] total) {
    static final int FRACTION_BITS = 22;
    static final int HALF = 1 << (FRACTION_BITS - 1);
    private static final double SUPPORT = 2.0;
    private static final double A = -0.5;

    /**
     * Computes the weights for outputs {@code from .. from + outputs - 1}.
     *
     * @param image length of the image in pixels
     * @param canvas length of the canvas that is resized, at least {@code image}
     * @param offset where on the canvas the image starts
     * @param resized length of the whole canvas after resizing
     * @param from first output wanted
     * @param outputs number of outputs wanted
     */
    static ResampleAxis of(int image, int canvas, int offset, long resized, long from, int outputs) {
        double scale = (double) canvas / resized;
        double filterScale = Math.max(scale, 1.0);
        double support = SUPPORT * filterScale;
        double inverse = 1.0 / filterScale;
        int[] start = new int[outputs];
        int[] end = new int[outputs];
        int[] weightAt = new int[outputs];
        int[] outside = new int[outputs];
        int[] total = new int[outputs];
        int window = 2 * (int) Math.ceil(support) + 1;
        int[] weights = new int[Math.multiplyExact(outputs, Math.min(window, image))];
        double[] kernel = new double[window];
        int used = 0;
        for (int o = 0; o < outputs; o++) {
            double centre = (from + o + 0.5) * scale;
            int first = Math.max(0, (int) (centre - support + 0.5));
            int last = Math.min(canvas, (int) (centre + support + 0.5));
            double sum = 0;
            for (int i = first; i < last; i++) {
                double value = cubic((i - centre + 0.5) * inverse);
                kernel[i - first] = value;
                sum += value;
            }
            start[o] = Math.clamp(first - offset, 0, image);
            end[o] = Math.clamp(last - offset, 0, image);
            weightAt[o] = used;
            for (int i = first; i < last; i++) {
                int weight = fixedPoint(kernel[i - first] / sum);
                total[o] += weight;
                if (i >= offset && i < offset + image) {
                    weights[used++] = weight;
                } else {
                    outside[o] += weight;
                }
            }
        }
        return new ResampleAxis(start, end, weightAt, weights, outside, total);
    }

    int outputs() {
        return start.length;
    }

    /** Keys' cubic convolution kernel. */
    private static double cubic(double signed) {
        double x = Math.abs(signed);
        if (x < 1.0) {
            return ((A + 2.0) * x - (A + 3.0)) * x * x + 1;
        }
        return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * A : 0.0;
    }

    /** Rounds half away from zero. */
    private static int fixedPoint(double weight) {
        double scaled = weight * (1 << FRACTION_BITS);
        return (int) (weight < 0 ? scaled - 0.5 : scaled + 0.5);
    }
}
