package io.llava4j.checkpoint.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.Tiling;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.format.DType;
import io.llava4j.text.ConversationTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ModelConfigsTest {
    private static final VisionConfig NANO_TOWER =
            new VisionConfig(96, 384, 4, 4, 64, 8, 1e-5, "quick_gelu", List.of(32, 64, 96));
    private static final TextConfig NANO_TEXT =
            new TextConfig(128, 344, 4, 4, 2, 1024, 512, 1e-6, 5000.5, true, 1, 2, 3);

    private static final Tiling TILING = new Tiling(
            List.of(new ImageSize(672, 336), new ImageSize(336, 1008), new ImageSize(672, 672)),
            PatchMerge.SPATIAL_UNPAD);

    @TempDir
    private Path folder;

    private ModelKind read(String json) throws IOException {
        Files.writeString(folder.resolve("config.json"), json);
        return ModelConfigs.read(folder, KnownTowers::shape);
    }

    private LlavaConfig llava(String json) throws IOException {
        return ((ModelKind.Llava) read(json)).config();
    }

    static Stream<ModelKind> kinds() {
        return Stream.of(
                new ModelKind.Llava(LlavaConfig.LLAVA_1_5_7B),
                new ModelKind.Llava(
                        new LlavaConfig(NANO_TOWER, NANO_TEXT, "mlp3x_gelu", 3, true, AspectMode.CROP, 1000, 2048)),
                new ModelKind.Llava(
                        LlavaConfig.LLAVA_1_5_7B.withConversationTemplate(ConversationTemplate.named("llava_llama_2"))),
                new ModelKind.Llava(LlavaConfig.LLAVA_1_5_7B
                        .withAspectMode(AspectMode.ANYRES)
                        .withTiling(TILING)),
                new ModelKind.Llava(LlavaConfig.LLAVA_1_5_7B
                        .withAspectMode(AspectMode.ANYRES)
                        .withTiling(new Tiling(TILING.canvases(), PatchMerge.SPATIAL))),
                new ModelKind.Clip(NANO_TOWER),
                new ModelKind.Clip(VisionConfig.CLIP_VIT_L_336),
                new ModelKind.Llama(NANO_TEXT),
                new ModelKind.Llama(TextConfig.VICUNA_7B));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void whatIsWrittenIsReadBackEqual(ModelKind kind) throws IOException {
        Files.write(folder.resolve("config.json"), StrictJson.pretty(ModelConfigWriter.write(kind, DType.F16)));
        assertThat(ModelConfigs.read(folder, name -> Optional.empty())).isEqualTo(kind);
    }

    @Test
    void absentKeysOfTheLiuhaotianFamily() throws IOException {
        LlavaConfig config = llava("""
                {"model_type":"llava_llama","mm_vision_tower":"openai/clip-vit-large-patch14-336",
                 "mm_vision_select_layer":-2}""");
        assertThat(config.projectorType()).isEqualTo("linear");
        assertThat(config.aspectMode()).isEqualTo(AspectMode.CROP);
        assertThat(config.keepCls()).isFalse();
        assertThat(config.maxSequenceLength()).isZero();
        assertThat(config.imageTokenId()).isEqualTo(-1);
        assertThat(config.vision()).isEqualTo(VisionConfig.CLIP_VIT_L_336);
    }

    @Test
    void llava157bAsItsOwnersWroteIt() throws IOException {
        assertThat(llava("""
                {"model_type":"llava","architectures":["LlavaLlamaForCausalLM"],"hidden_size":4096,
                 "intermediate_size":11008,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":32,
                 "vocab_size":32000,"hidden_act":"silu","rms_norm_eps":1e-05,"max_position_embeddings":4096,
                 "max_length":4096,"bos_token_id":1,"eos_token_id":2,"pad_token_id":0,"pretraining_tp":1,
                 "rope_scaling":null,"tie_word_embeddings":false,"torch_dtype":"float16",
                 "mm_vision_tower":"openai/clip-vit-large-patch14-336","mm_vision_select_layer":-2,
                 "mm_vision_select_feature":"patch","mm_hidden_size":1024,"mm_projector_type":"mlp2x_gelu",
                 "mm_use_im_start_end":false,"mm_use_im_patch_token":false,"image_aspect_ratio":"pad",
                 "mm_resampler_type":null,"use_mm_proj":true}""")).isEqualTo(LlavaConfig.LLAVA_1_5_7B);
    }

    @Test
    void llava157bAsHuggingFaceConvertedIt() throws IOException {
        LlavaConfig config = llava("""
                {"architectures":["LlavaForConditionalGeneration"],"ignore_index":-100,"image_token_index":32000,
                 "model_type":"llava","pad_token_id":32001,"projector_hidden_act":"gelu",
                 "text_config":{"_name_or_path":"lmsys/vicuna-7b-v1.5","architectures":["LlamaForCausalLM"],
                   "max_position_embeddings":4096,"model_type":"llama","rms_norm_eps":1e-05,
                   "torch_dtype":"float16","vocab_size":32064},
                 "tie_word_embeddings":false,"torch_dtype":"float16",
                 "vision_config":{"hidden_size":1024,"image_size":336,"intermediate_size":4096,
                   "model_type":"clip_vision_model","num_attention_heads":16,"num_hidden_layers":24,"patch_size":14,
                   "projection_dim":768,"vocab_size":32000},
                 "vision_feature_layer":-2,"vision_feature_select_strategy":"default","vocab_size":32064}""");
        assertThat(config.vision()).isEqualTo(VisionConfig.CLIP_VIT_L_336);
        assertThat(config.text())
                .isEqualTo(new TextConfig(4096, 11008, 32, 32, 32, 32064, 4096, 1e-5, 10000, false, 1, 2, 32001));
        assertThat(config.imageTokenId()).isEqualTo(32000);
        assertThat(config.aspectMode()).isEqualTo(AspectMode.CROP);
        assertThat(config.projectorType()).isEqualTo("mlp2x_gelu");
    }

    private static final String TILED = """
            {"model_type":"llava","mm_vision_tower":"openai/clip-vit-large-patch14-336","mm_vision_select_layer":-2,
             "image_aspect_ratio":"anyres","mm_patch_merge_type":"spatial_unpad","image_crop_resolution":224,
             "image_grid_pinpoints":[[336,672],[672,336]],"mm_vision_tower_lr":2e-06}""";

    @Test
    void modelsThatTileImagesNameTheirCanvases() throws IOException {
        LlavaConfig config = llava(TILED);
        Tiling two = new Tiling(List.of(new ImageSize(336, 672), new ImageSize(672, 336)), PatchMerge.SPATIAL_UNPAD);
        assertThat(config.aspectMode()).isEqualTo(AspectMode.ANYRES);
        assertThat(config.tiling()).isEqualTo(two);
        assertThat(config.tokensPerImage()).isEqualTo(576 + 48 * (24 + 1));
        assertThat(config.viewsPerImage()).isEqualTo(3);
        assertThat(llava(TILED.replace("[[336,672],[672,336]]", "\"[(336, 672), (672, 336)]\""))
                        .tiling())
                .isEqualTo(two);
        assertThat(llava(TILED.replace("spatial_unpad", "flat")).tiling())
                .isEqualTo(new Tiling(two.canvases(), PatchMerge.FLAT));
        assertThat(llava(TILED.replace("\"mm_patch_merge_type\":\"spatial_unpad\",", ""))
                        .tiling()
                        .merge())
                .isEqualTo(PatchMerge.FLAT);
        assertThat(llava(TILED.replace("spatial_unpad", "spatial")).tokensPerImage())
                .isEqualTo(3 * 576);
        assertThat(llava(TILED.replace("anyres", "pad").replace("spatial_unpad", "flat"))
                        .tiling())
                .isEqualTo(Tiling.NONE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "spatial_unpad|max_pool|mm_patch_merge_type is \"max_pool\"; llava4j needs flat, spatial or spatial_unpad",
                "\"anyres\"|\"anyres_max_9\"|mm_patch_merge_type",
                "\"anyres\"|\"pad\"|mm_patch_merge_type is \"spatial_unpad\"; llava4j needs \"flat\"",
                "[[336,672],[672,336]]|null|image_grid_pinpoints",
                "[[336,672],[672,336]]|[]|image_grid_pinpoints is []",
                "[336,672]|[336,670]|multiples of the tower's image size, 336",
                "[336,672]|[0,336]|multiples of the tower's image size, 336",
                "[336,672]|[336]|a list of [width, height]",
                "\"mm_vision_select_layer\":-2|\"mm_vision_select_layer\":-2,\"mm_vision_select_feature\":\"cls_patch\"|because image_aspect_ratio is anyres"
            })
    void tilesThatCannotBeReadAreNamed(String part, String instead, String reason) {
        assertThat(TILED).contains(part);
        assertThatThrownBy(() -> read(TILED.replace(part, instead)))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(folder.resolve("config.json").toString())
                .hasMessageContaining(reason);
    }

    @Test
    void llavaNextAsTransformersHasIt() throws IOException {
        String json = """
                {"model_type":"llava_next","image_token_index":32000,"use_image_newline_parameter":true,
                 "image_grid_pinpoints":[[336,672],[672,336]],"text_config":{"vocab_size":32064}}""";
        LlavaConfig config = llava(json);
        assertThat(config.tiling()).isEqualTo(llava(TILED).tiling());
        assertThat(config.aspectMode()).isEqualTo(AspectMode.ANYRES);
        assertThatThrownBy(() -> llava(json.replace("true", "false")))
                .hasMessageContaining("use_image_newline_parameter is false; llava4j needs true");
        assertThatThrownBy(
                        () -> llava(json.replace("{\"model", "{\"vision_feature_select_strategy\":\"full\",\"model")))
                .hasMessageContaining("default, because images are tiled");
        Files.writeString(
                folder.resolve("preprocessor_config.json"),
                "{\"image_processor_type\":\"LlavaNextImageProcessor\",\"image_grid_pinpoints\":[[336,672]]}");
        assertThatThrownBy(() -> llava(json)).hasMessageContaining("preprocessor_config.json: image_grid_pinpoints");
    }

    @Test
    void absentDimensionsAreThoseOfClipAndLlama() throws IOException {
        assertThat(read("{\"model_type\":\"clip\",\"vision_config\":{}}"))
                .isEqualTo(new ModelKind.Clip(
                        new VisionConfig(768, 3072, 12, 12, 224, 32, 1e-5, "quick_gelu", List.of())));
        assertThat(
                        read(
                                "{\"model_type\":\"llama\",\"rope_parameters\":{\"rope_theta\":5e5,\"rope_type\":\"default\"}}"))
                .isEqualTo(new ModelKind.Llama(
                        new TextConfig(4096, 11008, 32, 32, 32, 32000, 2048, 1e-6, 5e5, false, 1, 2, 0)));
    }

    @Test
    void linearRopeScalingIsReadFromEveryKey() throws IOException {
        for (String scaling : List.of(
                "'rope_scaling':{'type':'linear','factor':4}",
                "'rope_scaling':{'rope_type':'linear','factor':4.0}",
                "'rope_parameters':{'rope_type':'linear','factor':4,'rope_theta':10000}",
                "'rope_scaling':null,'rope_parameters':{'rope_type':'linear','factor':4}")) {
            String json = scaling.replace('\'', '"');
            assertThat(text("{\"model_type\":\"llama\"," + json + "}").ropeFactor())
                    .isEqualTo(4);
            assertThat(llava("{\"model_type\":\"llava\",\"text_config\":{" + json + "}}")
                            .text()
                            .ropeFactor())
                    .isEqualTo(4);
            assertThatThrownBy(() -> llava("{\"model_type\":\"llava\",\"text_config\":{}," + json + "}"))
                    .hasMessageContaining("rope_scaling");
        }
    }

    @Test
    void everyIdThatEndsAnAnswerIsRead() throws IOException {
        assertThat(text("{\"model_type\":\"llama\"}").eosTokenIds()).containsExactly(2);
        assertThat(text("{\"model_type\":\"llama\",\"eos_token_id\":[2,13]}").eosTokenIds())
                .containsExactly(2, 13);
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\":[2,7]}");
        assertThat(llava("{\"model_type\":\"llava\",\"eos_token_id\":9,\"text_config\":{\"eos_token_id\":5}}")
                        .text()
                        .eosTokenIds())
                .containsExactly(5, 9, 2, 7);
        assertThat(llava("""
                {"model_type":"llava_llama","mm_vision_tower":"openai/clip-vit-large-patch14-336",
                 "mm_vision_select_layer":-2,"eos_token_id":2}""").text().eosTokenIds()).containsExactly(2, 7);
    }

    private TextConfig text(String json) throws IOException {
        return ((ModelKind.Llama) read(json)).text();
    }

    @Test
    void preprocessorMayPad() throws IOException {
        Files.writeString(folder.resolve("preprocessor_config.json"), "{\"do_pad\":true,\"crop_size\":336}");
        assertThat(llava("{\"model_type\":\"llava\"}").aspectMode()).isEqualTo(AspectMode.PAD);
        Files.writeString(folder.resolve("preprocessor_config.json"), "{\"crop_size\":{\"height\":224,\"width\":224}}");
        assertThatThrownBy(() -> read("{\"model_type\":\"llava\"}"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("preprocessor_config.json: crop_size");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'mm_use_im_start_end':true|mm_use_im_start_end is true; llava4j needs false",
                "'mm_projector_type':'mlp0x_gelu'|mm_projector_type is \"mlp0x_gelu\"",
                "'mm_projector_type':'resampler'|mm_projector_type",
                "'mm_vision_select_feature':'all'|mm_vision_select_feature",
                "'mm_vision_select_layer':-26|25 hidden states",
                "'mm_vision_select_layer':25|25 hidden states",
                "'mm_vision_select_layer':[-2]|a whole number",
                "'mm_hidden_size':1152|mm_hidden_size is 1152; llava4j needs the tower's width, 1024",
                "'image_aspect_ratio':'anyres'|image_aspect_ratio",
                "'mm_patch_merge_type':'spatial_unpad'|mm_patch_merge_type",
                "'mm_resampler_type':'qformer'|mm_resampler_type",
                "'hidden_size':0|hidden_size is 0; llava4j needs a whole number from 1",
                "'hidden_size':-4|hidden_size is -4",
                "'hidden_size':1e3|hidden_size is 1000.0",
                "'hidden_size':99999999999|hidden_size is 99999999999",
                "'hidden_size':'4096'|hidden_size is \"4096\"",
                "'num_hidden_layers':16000000|num_hidden_layers is 16000000; llava4j needs at most 1024",
                "'num_attention_heads':31|num_attention_heads is 31",
                "'num_key_value_heads':5|num_key_value_heads is 5",
                "'head_dim':64|head_dim is 64",
                "'rope_scaling':{'factor':2}|rope_scaling",
                "'rope_theta':0|rope_theta is 0",
                "'rms_norm_eps':'x'|rms_norm_eps",
                "'tie_word_embeddings':1|tie_word_embeddings is 1; llava4j needs true or false",
                "'hidden_act':'gelu'|hidden_act",
                "'eos_token_id':[2,'x']|eos_token_id",
                "'eos_token_id':2.5|eos_token_id",
                "'rope_scaling':{'rope_type':'dynamic','factor':2}|rope_scaling is {\"rope_type\":\"dynamic\"",
                "'rope_scaling':{'rope_type':'llama3','factor':8}|rope_scaling",
                "'rope_parameters':{'rope_type':'yarn','factor':4}|rope_parameters",
                "'rope_scaling':{'type':'linear'}|rope_scaling.factor",
                "'rope_scaling':{'type':'linear','factor':0}|rope_scaling.factor is 0",
                "'rope_parameters':{'rope_theta':1e4,'partial_rotary_factor':0.5}|partial_rotary_factor",
                "'partial_rotary_factor':0.5|partial_rotary_factor is 0.5",
                "'rope_parameters':{'rope_theta':5e5},'rope_theta':1e4|rope_theta is 10000",
                "'rope_parameters':{'full_attention':{'rope_theta':1e4}}|rope_parameters",
                "'model_type':'llava_mpt'|model_type is \"llava_mpt\"",
                "'mm_vision_tower':'google/siglip'|the vision tower 'google/siglip' is no folder",
                "'vision_config':{'patch_size':13,'image_size':224}|vision_config.patch_size is 13",
                "'vision_config':{'patch_size':8,'patch_embedding_stem_channels':[8,8]}|log2 of patch_size 8",
                "'vision_config':{'model_type':'siglip_vision_model'}|vision_config.model_type",
                "'vision_config':7|vision_config is 7; llava4j needs an object"
            })
    void whatCannotBeUsedIsNamed(String change, String reason) throws IOException {
        String key = change.substring(1, change.indexOf("':"));
        StringBuilder json = new StringBuilder("{" + change.replace('\'', '"'));
        for (String usual : List.of(
                "'model_type':'llava_llama'",
                "'mm_vision_tower':'openai/clip-vit-large-patch14-336'",
                "'mm_vision_select_layer':-2")) {
            if (!usual.startsWith("'" + key + "'")) {
                json.append(',').append(usual.replace('\'', '"'));
            }
        }
        assertThatThrownBy(() -> read(json + "}"))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(folder.resolve("config.json").toString())
                .hasMessageContaining(reason);
    }

    @Test
    void strangersAndMissingFilesAreRefused() {
        assertThatThrownBy(() -> ModelConfigs.read(folder, KnownTowers::shape))
                .hasMessageContaining("config.json is missing");
        assertThatThrownBy(() -> read("{\"model_type\":\"bert\"}")).hasMessageContaining("model_type is \"bert\"");
        assertThatThrownBy(() -> read("{\"model_type\":\"llava\",\"model_type\":\"llama\"}"))
                .hasMessageContaining("not well formed");
    }
}
