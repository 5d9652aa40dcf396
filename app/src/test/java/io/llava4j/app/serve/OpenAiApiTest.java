package io.llava4j.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class OpenAiApiTest extends ServerTest {
    private static String chat(String more) {
        return "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"what is in the image?\"}],"
                + "\"max_tokens\":8" + more + "}";
    }

    private static String image() {
        return "data:image/png;base64," + TestServer.png(0xff0000);
    }

    private static String withImage(String more) {
        return ("{\"model\":\"tiny\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\","
                        + "\"content\":[{\"type\":\"text\",\"text\":\"what is it?\"},{\"type\":\"image_url\","
                        + "\"image_url\":{\"url\":\"%s\",\"detail\":\"auto\"}}]}],\"max_completion_tokens\":8%s}")
                .formatted(image(), more);
    }

    @Test
    void chatCompletion() {
        TestServer.Reply reply = server.post("/v1/chat/completions", chat(""));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        JsonNode body = reply.json();
        assertThat(body.at("/object").stringValue()).isEqualTo("chat.completion");
        assertThat(body.at("/choices/0/message/role").stringValue()).isEqualTo("assistant");
        assertThat(body.at("/choices/0/finish_reason").stringValue()).isIn("stop", "length");
        assertThat(body.at("/usage/completion_tokens").intValue()).isBetween(1, 8);
        assertThat(body.at("/usage/total_tokens").intValue())
                .isEqualTo(body.at("/usage/prompt_tokens").intValue()
                        + body.at("/usage/completion_tokens").intValue());
        assertThat(reply.header("x-request-id")).startsWith("req_");
        assertThat(server.post("/v1/chat/completions", chat("")).json().at("/choices/0/message/content"))
                .isEqualTo(body.at("/choices/0/message/content"));
    }

    @Test
    void imageTokensAreCounted() {
        JsonNode usage =
                server.post("/v1/chat/completions", withImage("")).json().at("/usage");
        assertThat(usage.at("/prompt_tokens_details/image_tokens").intValue()).isEqualTo(4);
        assertThat(usage.at("/prompt_tokens").intValue()).isGreaterThan(4);
    }

    @Test
    void chunksAddUpToTheAnswer() {
        String whole = server.post("/v1/chat/completions", withImage(""))
                .json()
                .at("/choices/0/message/content")
                .stringValue();
        TestServer.Reply reply = server.post(
                "/v1/chat/completions", withImage(",\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
        assertThat(reply.header("content-type")).startsWith("text/event-stream");
        List<String> events = reply.events();
        assertThat(events.getLast()).isEqualTo("[DONE]");
        StringBuilder text = new StringBuilder();
        for (String event : events.subList(0, events.size() - 1)) {
            text.append(TestServer.JSON
                    .readTree(event)
                    .at("/choices/0/delta/content")
                    .asString(""));
        }
        assertThat(text.toString().strip()).isEqualTo(whole);
        JsonNode usage = TestServer.JSON.readTree(events.get(events.size() - 2));
        assertThat(usage.at("/choices")).isEmpty();
        assertThat(usage.at("/usage/prompt_tokens_details/image_tokens").intValue())
                .isEqualTo(4);
        assertThat(TestServer.JSON
                        .readTree(events.get(events.size() - 3))
                        .at("/choices/0/finish_reason")
                        .stringValue())
                .isIn("stop", "length");
    }

    @Test
    void responses() {
        String request =
                "{\"model\":\"tiny\",\"instructions\":\"Be brief.\",\"input\":[{\"role\":\"user\",\"content\":["
                        + "{\"type\":\"input_text\",\"text\":\"what is it?\"},{\"type\":\"input_image\",\"image_url\":\""
                        + image()
                        + "\"}]}],\"max_output_tokens\":8";
        JsonNode whole = server.post("/v1/responses", request + "}").json();
        assertThat(whole.at("/status").stringValue()).isIn("completed", "incomplete");
        assertThat(whole.at("/usage/input_tokens_details/image_tokens").intValue())
                .isEqualTo(4);
        String text = whole.at("/output/0/content/0/text").stringValue();
        List<String> events =
                server.post("/v1/responses", request + ",\"stream\":true}").events();
        StringBuilder deltas = new StringBuilder();
        for (int i = 0; i < events.size(); i++) {
            JsonNode event = TestServer.JSON.readTree(events.get(i));
            assertThat(event.at("/sequence_number").intValue()).isEqualTo(i);
            deltas.append(event.at("/delta").asString(""));
        }
        assertThat(deltas.toString().strip()).isEqualTo(text);
        assertThat(TestServer.JSON.readTree(events.getFirst()).at("/type").stringValue())
                .isEqualTo("response.created");
        assertThat(TestServer.JSON.readTree(events.getLast()).at("/response/output/0/content/0/text"))
                .isEqualTo(whole.at("/output/0/content/0/text"));
    }

    @Test
    void completions() {
        String request = "{\"model\":\"tiny\",\"prompt\":\"a cat\",\"max_tokens\":6";
        JsonNode whole = server.post("/v1/completions", request + "}").json();
        List<String> events =
                server.post("/v1/completions", request + ",\"stream\":true}").events();
        StringBuilder text = new StringBuilder();
        for (String event : events.subList(0, events.size() - 1)) {
            text.append(TestServer.JSON.readTree(event).at("/choices/0/text").asString(""));
        }
        assertThat(text.toString().strip())
                .isEqualTo(whole.at("/choices/0/text").stringValue());
    }

    @Test
    void models() {
        assertThat(server.get("/v1/models").json().at("/data/0/id").stringValue())
                .isEqualTo("tiny");
        assertThat(server.get("/v1/models/tiny").status()).isEqualTo(200);
        assertThat(server.get("/v1/models/other").status()).isEqualTo(404);
    }

    /** The seed decides what is drawn. */
    @Test
    void seeds() {
        String first = answer(",\"temperature\":1.5,\"seed\":7");
        assertThat(answer(",\"temperature\":1.5,\"seed\":7")).isEqualTo(first);
    }

    /** The answer ends before a stop text. */
    @Test
    void stopTexts() {
        String whole = answer("");
        assertThat(whole.length()).isGreaterThan(2);
        String stop = whole.substring(1, 3);
        JsonNode stopped = server.post(
                        "/v1/chat/completions", chat(",\"stop\":[" + TestServer.JSON.writeValueAsString(stop) + "]"))
                .json();
        assertThat(stopped.at("/choices/0/message/content").stringValue())
                .isEqualTo(whole.substring(0, whole.indexOf(stop)).strip());
        assertThat(stopped.at("/choices/0/finish_reason").stringValue()).isEqualTo("stop");
    }

    private static String answer(String more) {
        return server.post("/v1/chat/completions", chat(more))
                .json()
                .at("/choices/0/message/content")
                .stringValue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"n\":2|n",
                "\"presence_penalty\":0.5|presence_penalty",
                "\"logit_bias\":{\"5\":1}|logit_bias",
                "\"tools\":[{}]|tools",
                "\"store\":true|store",
                "\"temperature\":\"hot\"|temperature",
                "\"temperature\":3|temperature",
                "\"top_p\":1e999|top_p",
                "\"seed\":1.5|seed",
                "\"stop\":[\"\"]|stop",
                "\"stream_options\":{}|stream_options",
                "\"top_logprobs\":2|top_logprobs",
                "\"response_format\":{\"type\":\"xml\"}|response_format.type",
                "\"temperatur\":1|temperatur"
            })
    void whatCannotBeHonouredIsRefusedByName(String field, String name) {
        TestServer.Reply reply = server.post("/v1/chat/completions", chat("," + field));
        assertThat(reply.status()).as(reply.body()).isEqualTo(400);
        assertThat(reply.json().at("/error/param").stringValue()).isEqualTo(name);
        assertThat(reply.json().at("/error/message").stringValue()).contains(name);
        assertThat(reply.json().at("/error/type").stringValue()).isEqualTo("invalid_request_error");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"user\":\"me\"",
                "\"n\":1",
                "\"store\":false",
                "\"tools\":[]",
                "\"metadata\":{\"a\":\"b\"}",
                "\"presence_penalty\":0",
                "\"service_tier\":\"auto\"",
                "\"seed\":null"
            })
    void whatAsksForNothingIsAccepted(String field) {
        assertThat(server.post("/v1/chat/completions", chat("," + field)).status())
                .isEqualTo(200);
    }

    @Test
    void unknownModel() {
        TestServer.Reply reply = server.post("/v1/chat/completions", chat("").replace("\"tiny\"", "\"gpt\""));
        assertThat(reply.status()).isEqualTo(404);
        assertThat(reply.json().at("/error/message").stringValue()).contains("'gpt'", "'tiny'");
    }
}
