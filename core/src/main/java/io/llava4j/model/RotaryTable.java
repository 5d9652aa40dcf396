package io.llava4j.model;

/**
 * Cosine and sine of the rotary position embedding's angles, computed in 32-bit floats as the reference computes them
 * (docs/reference/model.md#rotary-position-embedding).
 *
 * @param cos {@code [positions, headDim / 2]}
 * @param sin {@code [positions, headDim / 2]}
 */
public record RotaryTable(float[] cos, float[] sin) {
    /**
     * The angles of positions {@code 0 … positions - 1}.
     *
     * @param headDim width of a head
     * @param theta base of the frequencies
     * @param factor positions are divided by it; 1 for none
     */
    public static RotaryTable of(int headDim, double theta, double factor, int positions) {
        int half = headDim / 2;
        float[] cos = new float[Math.multiplyExact(positions, half)];
        float[] sin = new float[cos.length];
        for (int i = 0; i < half; i++) {
            // 1 / theta^(2i/d) in floats, as torch computes it
            float frequency = 1f / (float) Math.pow((float) theta, (float) (2 * i) / headDim) / (float) factor;
            for (int position = 0; position < positions; position++) {
                float angle = position * frequency;
                cos[position * half + i] = (float) Math.cos(angle);
                sin[position * half + i] = (float) Math.sin(angle);
            }
        }
        return new RotaryTable(cos, sin);
    }
}
