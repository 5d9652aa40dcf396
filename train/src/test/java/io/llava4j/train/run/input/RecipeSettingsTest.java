package io.llava4j.train.run.input;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RecipeSettingsTest {
    private static final RecipeSettings EARLIER = new RecipeSettings("seed: 42\ndata:\n  json: a.json\n");

    @Test
    void changedKeysAreNamedWithBothValues() {
        RecipeSettings now = new RecipeSettings("seed: 43\ndata:\n  json: a.json\n");
        assertThat(now.changesSince(EARLIER)).containsExactly("seed (42 then, 43 now)");
        assertThat(now.fingerprint()).isNotEqualTo(EARLIER.fingerprint());
    }

    @Test
    void aSwitchThatIsOffIsNoChangeFromAVersionWithoutIt() {
        RecipeSettings now = new RecipeSettings(
                "seed: 42\ndata:\n  json: a.json\n  exif-orientation: false\nlogging:\n  every-steps: 5\n");
        assertThat(now.changesSince(EARLIER)).isEmpty();
        assertThat(now.fingerprint()).isEqualTo(EARLIER.fingerprint());
        RecipeSettings on = new RecipeSettings("seed: 42\ndata:\n  json: a.json\n  exif-orientation: true\n");
        assertThat(on.changesSince(EARLIER)).containsExactly("data.exif-orientation (not set then, true now)");
    }
}
