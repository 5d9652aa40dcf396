package io.llava4j.checkpoint.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.huggingface.ConfigReader;
import io.llava4j.io.StrictJson;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterSettingsTest {
    private static final Path FILE = Path.of("adapter_config.json");

    private static AdapterSettings read(String json) {
        byte[] bytes = ("{" + json.replace('\'', '"') + "}").getBytes(StandardCharsets.UTF_8);
        return AdapterSettings.read(new ConfigReader(FILE, "", StrictJson.object(FILE, bytes)));
    }

    @Test
    void scaleIsAlphaByRankOrByItsRoot() {
        assertThat(read("'r':4,'lora_alpha':8").of("model.layers.0.mlp.up_proj").scale())
                .isEqualTo(2);
        assertThat(read("'r':4,'lora_alpha':8,'use_rslora':true")
                        .of("model.layers.0.mlp.up_proj")
                        .scale())
                .isEqualTo(4);
    }

    @Test
    void layersHaveRanksAndAlphasOfTheirOwn() {
        AdapterSettings settings = read(
                "'r':4,'lora_alpha':8,'use_rslora':true,"
                        + "'rank_pattern':{'q_proj':16,'layers.1.mlp.up_proj':9},'alpha_pattern':{'^model.layers.1.*up_proj':27}");
        assertThat(settings.of("model.layers.0.self_attn.q_proj").rank()).isEqualTo(16);
        assertThat(settings.of("model.layers.0.self_attn.q_proj").scale()).isEqualTo(2);
        assertThat(settings.of("model.layers.1.mlp.up_proj").rank()).isEqualTo(9);
        assertThat(settings.of("model.layers.1.mlp.up_proj").scale()).isEqualTo(9);
        assertThat(settings.of("model.layers.11.mlp.up_proj").rank()).isEqualTo(4);
        assertThat(settings.of("model.layers.0.self_attn.my_q_proj").rank()).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'init_lora_weights':'pissa'",
                "'init_lora_weights':'pissa_niter_16'",
                "'init_lora_weights':'olora'",
                "'init_lora_weights':'corda'",
                "'init_lora_weights':'loftq'",
                "'init_lora_weights':'unheard-of'",
                "'alora_invocation_tokens':[1,2]",
                "'alora_invocation_string':'x'",
                "'use_qalora':true",
                "'use_bdlora':{'target':1}",
                "'arrow_config':{'top_k':2}",
                "'velora_config':{'rank':1}",
                "'unheard_of':3",
                "'megatron_config':{'a':1}",
                "'use_dora':'yes'",
                "'lora_bias':true",
                "'bias':'all'",
                "'fan_in_fan_out':true",
                "'layer_replication':[[0,4],[2,5]]",
                "'trainable_token_indices':[3]",
                "'target_parameters':['mlp.experts']",
                "'rank_pattern':{'q_proj':0}",
                "'peft_type':'ADALORA'"
            })
    void whatCannotBeMergedIsNamed(String setting) {
        String key = setting.substring(1, setting.indexOf("':"));
        assertThatThrownBy(() -> read("'r':4," + setting))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("adapter_config.json: " + key + " is ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'init_lora_weights':true",
                "'init_lora_weights':false",
                "'init_lora_weights':'gaussian'",
                "'rank_pattern':{},'alpha_pattern':{},'modules_to_save':null,'loftq_config':{}",
                "'layers_to_transform':[0],'layers_pattern':'layers','exclude_modules':null,'megatron_core':'megatron.core'",
                "'auto_mapping':{'base_model_class':'X'},'peft_version':'0.19.0','revision':null,'qalora_group_size':16",
                "'arrow_config':null,'unheard_of':false,'later_config':{},'later_list':[],'ensure_weight_tying':false",
                "'use_dora':false,'use_rslora':false,'use_qalora':false,'lora_bias':false,'alora_invocation_tokens':null"
            })
    void settingsThatOnlyTrainingNeedsArePassedOver(String setting) {
        assertThat(read("'r':4," + setting).of("x").scale()).isEqualTo(2);
    }
}
