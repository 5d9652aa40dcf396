package io.llava4j.checkpoint.huggingface;

import io.llava4j.io.FileErrors;
import io.llava4j.io.StrictJson;
import io.llava4j.text.ConversationTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/** The conversation template of LLaVA-1.5 as the Jinja text that other tools read. */
public final class ChatTemplate {
    /**
     * {@link ConversationTemplate#V1}. The content of a message is a text, or a list of images and texts; the images come
     * first. A system message replaces the default one.
     */
    public static final String V1 = v1();

    /** Marks of turns in templates of other models. */
    private static final List<String> OTHER_MARKS = List.of(
            "<|im_start|>",
            "[INST]",
            "<|start_header_id|>",
            "<|user|>",
            "<|User|>",
            "<start_of_turn>",
            "<|start_of_role|>",
            "<|turn>",
            "### ");

    private ChatTemplate() {}

    /**
     * The mark of turns that shows that a folder's chat template is not LLaVA-1.5's, as {@code [INST]}.
     *
     * @param directory of the model
     * @return empty if there is no chat template or none of a known other kind
     */
    public static Optional<String> otherMark(Path directory) {
        Path jinja = directory.resolve("chat_template.jinja");
        if (Files.isRegularFile(jinja)) {
            try {
                return otherMark(Files.readString(jinja));
            } catch (IOException e) {
                throw FileErrors.cannotRead(jinja, e);
            }
        }
        for (String name : List.of("chat_template.json", "processor_config.json", TokenizerFiles.CONFIG)) {
            Path file = directory.resolve(name);
            JsonNode template = Files.isRegularFile(file)
                    ? StrictJson.object(file).path("chat_template")
                    : MissingNode.getInstance();
            if (!template.isMissingNode() && !template.isNull()) {
                return otherMark(template.isString() ? template.stringValue() : template.toString());
            }
        }
        return Optional.empty();
    }

    /** As {@link #otherMark(Path)}, of the template's own text. */
    public static Optional<String> otherMark(String template) {
        return template.contains("ASSISTANT") || template.contains("upper")
                ? Optional.empty()
                : OTHER_MARKS.stream().filter(template::contains).findFirst();
    }

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
