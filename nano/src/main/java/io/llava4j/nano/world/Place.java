package io.llava4j.nano.world;

/** The place of an object in the image: one of nine fields, by the centre of its box. */
public enum Place {
    TOP_LEFT("top left", "in the top left corner"),
    TOP("top", "at the top"),
    TOP_RIGHT("top right", "in the top right corner"),
    LEFT("left", "on the left"),
    MIDDLE("middle", "in the middle"),
    RIGHT("right", "on the right"),
    BOTTOM_LEFT("bottom left", "in the bottom left corner"),
    BOTTOM("bottom", "at the bottom"),
    BOTTOM_RIGHT("bottom right", "in the bottom right corner");

    /** Borders of the fields; the middle one is smaller than a third, so that "left" and "right" are not rare. */
    private static final double LOW = 0.4;

    private static final double HIGH = 0.6;
    /** A centre this close to a border is ambiguous. */
    private static final double DOUBT = 0.03;

    private final String words;
    private final String phrase;

    Place(String words, String phrase) {
        this.words = words;
        this.phrase = phrase;
    }

    /** The field's name as a short answer, such as "top left". */
    public String words() {
        return words;
    }

    /** The field's name with its preposition, such as "on the left". */
    public String phrase() {
        return phrase;
    }

    /** 0 left, 1 middle, 2 right. */
    public int column() {
        return ordinal() % 3;
    }

    /** 0 top, 1 middle, 2 bottom. */
    public int row() {
        return ordinal() / 3;
    }

    /** The field that contains the centre of a box. */
    public static Place of(Extent box) {
        return at(box.centreX(), box.centreY());
    }

    /** The field that contains a point, given as fractions of the image's edge. */
    public static Place at(double x, double y) {
        return values()[third(y) * 3 + third(x)];
    }

    /** Whether the field of a box is unambiguous. */
    public static boolean isClear(Extent box) {
        return clear(box.centreX()) && clear(box.centreY());
    }

    /** Whether this field's phrase could also refer to a box: "on the left" includes the top left corner. */
    public boolean couldMean(Extent box) {
        Place other = of(box);
        return other == this
                || !isClear(box)
                || row() == 1 && column() != 1 && other.column() == column()
                || column() == 1 && row() != 1 && other.row() == row();
    }

    private static int third(double at) {
        return at < LOW ? 0 : at < HIGH ? 1 : 2;
    }

    private static boolean clear(double at) {
        return Math.abs(at - LOW) > DOUBT && Math.abs(at - HIGH) > DOUBT;
    }
}
