package io.llava4j.eval.report;

/** A condition under which {@code llava demo} evaluates its model. */
public enum Condition {
    /** The trained model with its images. */
    SIGHTED("sighted", ""),
    /** The trained model with every image replaced by a blank one. */
    BLIND("blind", "_blind"),
    /** The model as it was before stage 2, with images. */
    BEFORE("before stage 2", "_before");

    private final String title;
    private final String suffix;

    Condition(String title, String suffix) {
        this.title = title;
        this.suffix = suffix;
    }

    /** As printed in tables. */
    public String title() {
        return title;
    }

    /** Ending of the condition's keys in {@code results.json}. */
    public String suffix() {
        return suffix;
    }
}
