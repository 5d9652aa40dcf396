package io.llava4j.text;

import io.llava4j.ConfigException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The templates of the LLaVA family by name (docs/reference/conversation.md#templates). All supervise an answer and its
 * end, nothing else. The reference trains {@code v0} and its variants with another text than it prompts with
 * ({@code ### Human: …}); here both are the same.
 */
final class ConversationTemplates {
    private static final String VICUNA = "A chat between a curious %1$s and an artificial intelligence assistant. "
            + "The assistant gives helpful, detailed, and polite answers to the %1$s's questions.";

    private static final String TAGGED = "A chat between a curious user and an artificial intelligence assistant. "
            + "The assistant is able to understand the visual content that the user provides, and assist the user with"
            + " a variety of tasks using natural language."
            + "The visual content will be provided with the following format: <Image>visual content</Image>.";

    private static final String LLAVA = "You are a helpful language and vision assistant. "
            + "You are able to understand the visual content that the user provides, "
            + "and assist the user with a variety of tasks using natural language.";

    private static final String LLAMA = "You are a helpful, respectful and honest assistant. Always answer as helpfully"
            + " as possible, while being safe.  Your answers should not include any harmful, unethical, racist, sexist,"
            + " toxic, dangerous, or illegal content. Please ensure that your responses are socially unbiased and"
            + " positive in nature.\n\n"
            + "If a question does not make any sense, or is not factually coherent, explain why instead of answering"
            + " something not correct. If you don't know the answer to a question, please don't share false"
            + " information.";

    /** Vicuna v0 has an example exchange before the first question. */
    private static final String EXAMPLE = "Human: What are the key differences between renewable and non-renewable"
            + " energy sources?###Assistant: Renewable energy sources are those that can be replenished naturally in a"
            + " relatively short amount of time, such as solar, wind, hydro, geothermal, and biomass. Non-renewable"
            + " energy sources, on the other hand, are finite and will eventually be depleted, such as coal, oil, and"
            + " natural gas. Here are some key differences between renewable and non-renewable energy sources:\n"
            + "1. Availability: Renewable energy sources are virtually inexhaustible, while non-renewable energy"
            + " sources are finite and will eventually run out.\n"
            + "2. Environmental impact: Renewable energy sources have a much lower environmental impact than"
            + " non-renewable sources, which can lead to air and water pollution, greenhouse gas emissions, and other"
            + " negative effects.\n"
            + "3. Cost: Renewable energy sources can be more expensive to initially set up, but they typically have"
            + " lower operational costs than non-renewable sources.\n"
            + "4. Reliability: Renewable energy sources are often more reliable and can be used in more remote"
            + " locations than non-renewable sources.\n"
            + "5. Flexibility: Renewable energy sources are often more flexible and can be adapted to different"
            + " situations and needs, while non-renewable sources are more rigid and inflexible.\n"
            + "6. Sustainability: Renewable energy sources are more sustainable over the long term, while"
            + " non-renewable sources are not, and their depletion can lead to economic and social instability.\n###";

    private static final Map<String, ConversationTemplate> BY_NAME = byName();

    private ConversationTemplates() {}

    static ConversationTemplate named(String name) {
        ConversationTemplate template = BY_NAME.get(name);
        if (template == null) {
            throw new ConfigException(
                    "there is no conversation template '%s'; use one of %s".formatted(name, BY_NAME.keySet()));
        }
        return template;
    }

    private static Map<String, ConversationTemplate> byName() {
        Map<String, ConversationTemplate> names = new LinkedHashMap<>();
        names.put("plain", ConversationTemplate.PLAIN);
        names.put("v0_plain", ConversationTemplate.PLAIN);
        names.put("v1", ConversationTemplate.V1);
        names.put("vicuna_v1", ConversationTemplate.V1);
        names.put("llava_v1", two("llava_v1", VICUNA.formatted("human")));
        ConversationTemplate v0 = single("v0", VICUNA.formatted("human"), EXAMPLE);
        names.put("v0", v0);
        names.put("default", v0);
        names.put("llava_v0", single("llava_v0", VICUNA.formatted("human"), ""));
        names.put("v0_mmtag", tagged(single("v0_mmtag", TAGGED, "")));
        names.put("v1_mmtag", tagged(two("v1_mmtag", TAGGED)));
        names.put("llama_2", llama2("llama_2", LLAMA, "<s>"));
        names.put("llava_llama_2", llama2("llava_llama_2", LLAVA, "<s>"));
        names.put("mistral_instruct", llama2("mistral_instruct", "", ""));
        names.put(
                "mpt",
                chatMl(
                        "mpt",
                        "A conversation between a user and an LLM-based AI assistant. The assistant gives helpful and"
                                + " honest answers."));
        ConversationTemplate direct = chatMl("chatml_direct", "Answer the questions.");
        names.put("chatml_direct", direct);
        names.put("mistral_direct", direct);
        return names;
    }

    /** One separator: {@code ###}. */
    private static ConversationTemplate single(String name, String system, String example) {
        return new ConversationTemplate(
                name,
                system + "###" + example + "Human: ",
                ConversationTemplate.SYSTEM + "###" + example + "Human: ",
                "Human: ",
                "###",
                "Assistant:",
                " ",
                "###",
                ConversationTemplate.Form.CONVERSATION);
    }

    /** Two separators: a space after questions, the end of sequence after answers. */
    private static ConversationTemplate two(String name, String system) {
        return new ConversationTemplate(
                name,
                system + " USER: ",
                ConversationTemplate.SYSTEM + " USER: ",
                "USER: ",
                " ",
                "ASSISTANT:",
                " ",
                "</s>",
                ConversationTemplate.Form.CONVERSATION);
    }

    /** Questions in brackets; the first of them holds the system text, which has no BOS text of its own. */
    private static ConversationTemplate llama2(String name, String system, String separator) {
        String pattern = "[INST] <<SYS>>\n" + ConversationTemplate.SYSTEM + "\n<</SYS>>\n\n";
        return new ConversationTemplate(
                name,
                system.isEmpty() ? "[INST] " : pattern.replace(ConversationTemplate.SYSTEM, system),
                pattern,
                separator + "[INST] ",
                " [/INST]",
                "",
                " ",
                " </s>",
                ConversationTemplate.Form.CONVERSATION);
    }

    /** ChatML: the role in a tag before every message. */
    private static ConversationTemplate chatMl(String name, String system) {
        String pattern = "<|im_start|>system\n" + ConversationTemplate.SYSTEM + "<|im_end|><|im_start|>user\n";
        return new ConversationTemplate(
                name,
                pattern.replace(ConversationTemplate.SYSTEM, system),
                pattern,
                "<|im_start|>user\n",
                "<|im_end|>",
                "<|im_start|>assistant\n",
                "",
                "<|im_end|>",
                ConversationTemplate.Form.CONVERSATION);
    }

    private static ConversationTemplate tagged(ConversationTemplate template) {
        return new ConversationTemplate(
                template.name(),
                template.firstHumanPrefix(),
                template.systemPattern(),
                template.humanPrefix(),
                template.humanSuffix(),
                template.assistantPrefix(),
                template.answerPrefix(),
                template.answerSuffix(),
                ConversationTemplate.Form.TAGGED_IMAGES);
    }
}
