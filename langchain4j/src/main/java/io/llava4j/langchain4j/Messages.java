package io.llava4j.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import io.llava4j.DataException;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.ConversationBuilder;
import io.llava4j.generate.ConversationBuilder.Conversation;
import io.llava4j.generate.ConversationBuilder.Part;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

/** From LangChain4j's messages to a conversation with decoded images. */
final class Messages {
    private Messages() {}

    static ChatRequest read(List<ChatMessage> messages) {
        ConversationBuilder<RgbImage> conversation = new ConversationBuilder<>();
        for (int i = 0; i < messages.size(); i++) {
            add(conversation, "messages[%d]".formatted(i), messages.get(i));
        }
        Conversation<RgbImage> built = conversation.build("messages");
        return new ChatRequest(built.system(), built.turns(), built.images());
    }

    private static void add(ConversationBuilder<RgbImage> conversation, String where, ChatMessage message) {
        switch (message) {
            case SystemMessage system -> conversation.system(where, system.text());
            case UserMessage user -> conversation.user(parts(where, user.contents()));
            case AiMessage ai -> {
                if (ai.hasToolExecutionRequests() || !ai.images().isEmpty() || ai.text() == null) {
                    throw unsupported(where, "an answer that is not only text");
                }
                conversation.assistant(where, List.of(new Part.Text<>(where, ai.text())));
            }
            default -> throw unsupported(where, "a message of the type " + message.type());
        }
    }

    private static List<Part<RgbImage>> parts(String where, List<Content> contents) {
        List<Part<RgbImage>> parts = new ArrayList<>();
        for (int i = 0; i < contents.size(); i++) {
            String part = "%s.contents[%d]".formatted(where, i);
            parts.add(
                    switch (contents.get(i)) {
                        case TextContent text -> new Part.Text<>(part, text.text());
                        case ImageContent image -> new Part.Image<>(image(part, image.image()));
                        case Content other ->
                            throw unsupported(
                                    part,
                                    "content of the type " + other.type().name().toLowerCase(Locale.ROOT));
                    });
        }
        return parts;
    }

    private static RgbImage image(String where, Image image) {
        String base64 = image.base64Data();
        if (base64 == null) {
            throw unsupported(where, "an image by its address; read it and pass its content in base64, which");
        }
        try {
            return ImageDecoder.decode(Base64.getDecoder().decode(base64), "at " + where);
        } catch (IllegalArgumentException e) {
            throw new DataException("the image at " + where + " is not valid base64", e);
        }
    }

    private static UnsupportedFeatureException unsupported(String where, String what) {
        return new UnsupportedFeatureException("%s is not supported: %s".formatted(where, what));
    }
}
