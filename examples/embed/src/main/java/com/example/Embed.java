package com.example;

import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.ImageDecoder;
import io.llava4j.langchain4j.LlavaChatModel;
import io.llava4j.text.Turn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Asks a model about an image: streamed, then from many threads through LangChain4j. Arguments: MODEL IMAGE. */
public final class Embed {
    private static final List<String> QUESTIONS =
            List.of("What is in the image?", "How many things are there?", "What colour is it?", "Is there a dog?");

    public static void main(String[] args) throws Exception {
        try (LlavaPipeline llava = LlavaPipeline.open(Path.of(args[0]))) {
            stream(llava, Path.of(args[1]));
            fromManyThreads(LlavaChatModel.of(llava), Path.of(args[1]));
        }
    }

    private static void stream(LlavaPipeline llava, Path image) {
        Turn question = Turn.human("<image>\n" + QUESTIONS.getFirst());
        ChatRequest request = new ChatRequest(List.of(question), List.of(ImageDecoder.decode(image)));
        System.out.print("Streamed: ");
        llava.stream(request, GenerationOptions.greedy(32), text -> {
            System.out.print(text);
            return true;
        });
        System.out.println();
    }

    /** The threads' questions are decoded together, and the image is read once. */
    private static void fromManyThreads(ChatModel model, Path image)
            throws IOException, InterruptedException, ExecutionException {
        String base64 = Base64.getEncoder().encodeToString(Files.readAllBytes(image));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> answers = QUESTIONS.stream()
                    .map(question -> threads.submit(() -> ask(model, base64, question)))
                    .toList();
            for (Future<String> answer : answers) {
                System.out.println(answer.get());
            }
        }
    }

    private static String ask(ChatModel model, String base64, String question) {
        UserMessage message = UserMessage.from(TextContent.from(question), ImageContent.from(base64, "image/png"));
        dev.langchain4j.model.chat.request.ChatRequest request =
                dev.langchain4j.model.chat.request.ChatRequest.builder()
                        .messages(message)
                        .maxOutputTokens(32)
                        .build();
        return question + " " + model.chat(request).aiMessage().text();
    }
}
