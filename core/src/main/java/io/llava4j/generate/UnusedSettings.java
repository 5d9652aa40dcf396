package io.llava4j.generate;

import io.llava4j.checkpoint.huggingface.ChatTemplate;
import io.llava4j.checkpoint.huggingface.GenerationSettings;
import io.llava4j.text.ConversationTemplate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Warns of what a model folder says about answers and llava4j takes from its caller instead. */
final class UnusedSettings {
    private static final Logger LOG = LoggerFactory.getLogger(UnusedSettings.class);

    private UnusedSettings() {}

    /**
     * Warns of generation settings, and of a chat template unlike the one in use.
     *
     * @param path of the model; a file has no such settings
     * @param named template that the caller named; null for {@code own}
     * @param own template of the model's configuration; LLaVA-1.5's if it names none
     */
    static void warn(Path path, @Nullable ConversationTemplate named, ConversationTemplate own) {
        if (!Files.isDirectory(path)) {
            return;
        }
        List<String> settings = GenerationSettings.notApplied(path);
        if (!settings.isEmpty()) {
            LOG.warn(
                    "{}: generation_config.json asks for {}, which is not applied; set what you need by options",
                    path,
                    String.join(", ", settings));
        }
        if (named == null && own.equals(ConversationTemplate.V1)) {
            ChatTemplate.otherMark(path)
                    .ifPresent(mark -> LOG.warn(
                            "{}: its chat template marks turns by {}, but it is asked in template v1; name its own with --template",
                            path,
                            mark));
        }
    }
}
