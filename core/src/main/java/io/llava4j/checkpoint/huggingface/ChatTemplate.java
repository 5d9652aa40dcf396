package io.llava4j.checkpoint.huggingface;

import io.llava4j.text.ConversationTemplate;

/** The conversation template of LLaVA-1.5 as the Jinja text that other tools read. */
public final class ChatTemplate {
    /**
     * {@link ConversationTemplate#V1}. The content of a message is a text, or a list of images and texts; the images come
     * first. A system message replaces the default one.
     */
    public static final String V1 = v1();

    private ChatTemplate() {}

    private static String v1() {
        ConversationTemplate v1 = ConversationTemplate.V1;
        String system = v1.firstHumanPrefix()
                .substring(0, v1.firstHumanPrefix().length() - v1.humanPrefix().length());
        return """
                {%- if messages[0]['role'] == 'system' -%}
                {%- if messages[0]['content'] is string -%}{%- set system = messages[0]['content'] -%}\
                {%- else -%}{%- set system = messages[0]['content'][0]['text'] -%}{%- endif -%}
                {{- system + ' ' -}}{%- set turns = messages[1:] -%}
                {%- else -%}
                {{- SYSTEM -}}{%- set turns = messages -%}
                {%- endif -%}
                {%- for turn in turns -%}
                {{- HUMAN if turn['role'] == 'user' else ASSISTANT -}}
                {%- if turn['content'] is string -%}{{- turn['content'] -}}
                {%- else -%}
                {%- for part in turn['content'] if part['type'] == 'image' -%}{{- '<image>\\n' -}}{%- endfor -%}
                {%- for part in turn['content'] if part['type'] == 'text' -%}{{- part['text'] -}}{%- endfor -%}
                {%- endif -%}
                {{- END_OF_QUESTION if turn['role'] == 'user' else END_OF_ANSWER -}}
                {%- endfor -%}
                {%- if add_generation_prompt -%}{{- OPEN -}}{%- endif -%}""".replace("SYSTEM", quoted(system))
                .replace("HUMAN", quoted(v1.humanPrefix()))
                .replace("ASSISTANT", quoted(v1.assistantPrefix() + v1.answerPrefix()))
                .replace("END_OF_QUESTION", quoted(v1.humanSuffix()))
                .replace("END_OF_ANSWER", quoted(v1.answerSuffix()))
                .replace("OPEN", quoted(v1.assistantPrefix()));
    }

    private static String quoted(String text) {
        return '"' + text + '"';
    }
}
