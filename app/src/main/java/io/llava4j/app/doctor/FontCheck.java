package io.llava4j.app.doctor;

import java.awt.Font;
import java.awt.GraphicsEnvironment;
import java.awt.font.FontRenderContext;

/** Whether text can be drawn: plots and nano images need a font. */
final class FontCheck {
    private FontCheck() {}

    static Finding examine() {
        try {
            double width = new Font(Font.SANS_SERIF, Font.PLAIN, 12)
                    .getStringBounds("llava", new FontRenderContext(null, true, true))
                    .getWidth();
            String mode = GraphicsEnvironment.isHeadless() ? "headless" : "with a display";
            return width > 0 ? Finding.fine("fonts", "text can be drawn, " + mode) : missing("the fonts draw nothing");
        } catch (RuntimeException | Error e) {
            return missing("text cannot be drawn: " + e.getMessage());
        }
    }

    private static Finding missing(String detail) {
        return Finding.unusable(
                "fonts", detail, "install fontconfig and a font: 'apt-get install fontconfig fonts-dejavu-core'");
    }
}
