package io.llava4j.checkpoint.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.image.PixelScaling;
import io.llava4j.image.RgbImage;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.LlavaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreprocessorConfigTest {
    private static final List<Double> HALF = List.of(0.5, 0.5, 0.5);

    @TempDir
    Path folder;

    private LlavaConfig read(String file, String settings) throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"llava\"}");
        Files.writeString(folder.resolve(file), "{" + settings.replace('\'', '"') + "}");
        return ((ModelKind.Llava) ModelConfigs.read(folder, KnownTowers::shape)).config();
    }

    @Test
    void scalingIsObeyedInEitherFile() throws IOException {
        PixelScaling half = new PixelScaling(1 / 255.0, true, HALF, HALF);
        String settings = "'image_mean':[0.5,0.5,0.5],'image_std':[0.5,0.5,0.5]";
        assertThat(read("preprocessor_config.json", settings).vision().scaling())
                .isEqualTo(half);
        Files.delete(folder.resolve("preprocessor_config.json"));
        LlavaConfig nested =
                read("processor_config.json", "'patch_size':14,'image_processor':{'do_pad':true," + settings + "}");
        assertThat(nested.vision().scaling()).isEqualTo(half);
        assertThat(nested.aspectMode()).isEqualTo(AspectMode.PAD);
        assertThatThrownBy(() -> read("preprocessor_config.json", "'image_mean':[0.1,0.5,0.5]"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("in different ways");
    }

    @Test
    void bytesBecomeWhatTheSettingsSay() throws IOException {
        byte[] pixels = new byte[3 * 336 * 336];
        java.util.Arrays.fill(pixels, (byte) 200);
        RgbImage image = new RgbImage(336, 336, pixels);
        String file = "preprocessor_config.json";
        assertThat(first(read(file, "'image_mean':[0.5,0.5,0.5],'image_std':[0.25,0.25,0.25]"), image))
                .isCloseTo((200 / 255f - 0.5f) / 0.25f, within(1e-6f));
        assertThat(first(read(file, "'do_normalize':false"), image)).isEqualTo((float) (200 * (1 / 255.0)));
        assertThat(first(read(file, "'do_normalize':false,'do_rescale':false"), image))
                .isEqualTo(200f);
        assertThat(first(read(file, "'do_normalize':false,'rescale_factor':0.5"), image))
                .isEqualTo(100f);
    }

    private static float first(LlavaConfig config, RgbImage image) {
        return config.vision().imageProcessor(config.aspectMode()).process(image)[0];
    }

    @Test
    void whatIsWrittenKeepsTheScaling() throws IOException {
        LlavaConfig config = read("preprocessor_config.json", "'image_mean':[0.5,0.5,0.5],'do_rescale':false");
        Files.write(
                folder.resolve("preprocessor_config.json"),
                StrictJson.pretty(ModelConfigWriter.preprocessor(config.vision())));
        assertThat(PreprocessorConfig.read(folder, 336).orElseThrow().scaling())
                .isEqualTo(config.vision().scaling());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'resample':2|resample is 2; llava4j needs 3",
                "'do_resize':false|do_resize",
                "'do_center_crop':false|do_center_crop",
                "'do_convert_rgb':false|do_convert_rgb",
                "'size':{'shortest_edge':672}|size",
                "'size':{'height':336,'width':336}|size",
                "'size':224|size",
                "'crop_size':{'height':336,'width':224}|crop_size",
                "'image_mean':[0.5,0.5]|image_mean",
                "'image_mean':[123.6,116.2,103.5]|image_mean",
                "'image_std':[0,1,1]|image_std",
                "'rescale_factor':0|rescale_factor",
                "'image_grid_pinpoints':[[336,672]]|image_grid_pinpoints",
                "'crop_pct':0.9|crop_pct is 0.9",
                "'offset':true|offset is true",
                "'do_flip_channel_order':true|do_flip_channel_order",
                "'image_processor_type':'SiglipImageProcessor'|image_processor_type"
            })
    void anotherStepIsNamed(String setting, String reason) {
        assertThatThrownBy(() -> read("preprocessor_config.json", setting))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("preprocessor_config.json: " + reason);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'crop_size':336,'size':336,'feature_extractor_type':'CLIPFeatureExtractor'",
                "'size':{'shortest_edge':336},'crop_size':{'height':336,'width':336},'do_pad':false",
                "'image_processor_type':'LlavaImageProcessorFast','do_pad':null,'data_format':'channels_first'",
                "'_valid_processor_keys':['images'],'image_seq_length':576,'pad_size':null"
            })
    void clipsOwnSettingsAreTheDefault(String settings) throws IOException {
        assertThat(read("preprocessor_config.json", settings).vision().scaling())
                .isEqualTo(PixelScaling.CLIP);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'patch_size':16|patch_size is 16; llava4j needs 14",
                "'vision_feature_select_strategy':'full'|vision_feature_select_strategy is \"full\"",
                "'num_additional_image_tokens':2|num_additional_image_tokens is 2; llava4j needs 1"
            })
    void imageTokensOfTheProcessorAreThoseOfTheModel(String setting, String reason) throws IOException {
        String right = "'patch_size':14,'vision_feature_select_strategy':'default','num_additional_image_tokens':1";
        assertThat(read("processor_config.json", right).keepCls()).isFalse();
        assertThatThrownBy(() -> read("processor_config.json", setting))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("processor_config.json: " + reason);
    }
}
