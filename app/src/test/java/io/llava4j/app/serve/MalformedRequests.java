package io.llava4j.app.serve;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;

/** Requests that no path of the server may answer with anything but a 4xx, drawn at random from every kind of mistake. */
final class MalformedRequests {
    /** Kinds of mistakes. */
    enum Kind {
        TRUNCATED,
        NESTED,
        HUGE_NUMBER,
        WRONG_TYPE,
        NO_OBJECT,
        NOT_UTF8,
        CONTROL_CHARACTER,
        DUPLICATE_KEY,
        TRAILING,
        UNKNOWN_PARAMETER,
        UNKNOWN_ROLE,
        BAD_BASE64,
        TRUNCATED_IMAGE,
        BOMB,
        TOO_MANY_IMAGES,
        BAD_ADDRESS,
        BAD_SCHEMA,
        BAD_STOP,
        CONTENT_TYPE,
        CONTENT_ENCODING,
        METHOD,
        PATH
    }

    /** A request; the headers besides its Content-Type. */
    record Request(Kind kind, String method, String path, byte[] body, String type, Map<String, String> headers) {
        @Override
        public String toString() {
            String text = new String(body, StandardCharsets.UTF_8);
            return kind + " " + method + " " + path + " " + text.substring(0, Math.min(160, text.length()));
        }
    }

    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]";

    /** A small good request for every path that takes a body. */
    static final Map<String, String> GOOD = new LinkedHashMap<>();

    /** Paths whose requests may have images: the request, with a % where a data URL or base64 goes. */
    private static final Map<String, String> WITH_IMAGE = new LinkedHashMap<>();

    static {
        GOOD.put("/v1/chat/completions", "{" + MESSAGES + ",\"max_tokens\":4}");
        GOOD.put("/v1/responses", "{\"input\":\"hello\",\"max_output_tokens\":4}");
        GOOD.put("/v1/completions", "{\"prompt\":\"hello\",\"max_tokens\":4}");
        GOOD.put("/v1/messages", "{" + MESSAGES + ",\"max_tokens\":4}");
        GOOD.put("/v1/messages/count_tokens", "{" + MESSAGES + "}");
        GOOD.put("/api/chat", "{" + MESSAGES + ",\"stream\":false,\"options\":{\"num_predict\":4}}");
        GOOD.put("/api/generate", "{\"prompt\":\"hello\",\"stream\":false,\"options\":{\"num_predict\":4}}");
        GOOD.put("/api/show", "{\"model\":\"tiny\"}");
        GOOD.put("/tokenize", "{\"text\":\"hello\"}");
        GOOD.put("/detokenize", "{\"tokens\":[5]}");
        WITH_IMAGE.put(
                "/v1/chat/completions",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"%\"}}]}]}");
        WITH_IMAGE.put(
                "/v1/responses",
                "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"%\"}]}]}");
        WITH_IMAGE.put(
                "/v1/messages",
                "{\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":"
                        + "{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"%\"}}]}]}");
        WITH_IMAGE.put(
                "/v1/messages/count_tokens",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":"
                        + "{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"%\"}}]}]}");
        WITH_IMAGE.put("/api/chat", "{\"messages\":[{\"role\":\"user\",\"content\":\"what?\",\"images\":[\"%\"]}]}");
        WITH_IMAGE.put("/api/generate", "{\"prompt\":\"what?\",\"images\":[\"%\"]}");
    }

    private final Random random;

    MalformedRequests(long seed) {
        this.random = new Random(seed);
    }

    private <T> T any(List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    private String path(Map<String, String> paths) {
        return any(List.copyOf(paths.keySet()));
    }

    private static String good(String path) {
        return GOOD.getOrDefault(path, "");
    }

    /** A request of a kind. */
    Request next(Kind kind) {
        String path = path(GOOD);
        String good = good(path);
        int at = random.nextInt(good.length() - 1);
        return switch (kind) {
            case TRUNCATED -> json(kind, path, good.substring(0, 1 + at));
            case NESTED -> json(kind, path, nested(path));
            case HUGE_NUMBER -> hugeNumber();
            case WRONG_TYPE -> wrongType();
            case NO_OBJECT ->
                json(kind, path, any(List.of("", " ", "1", "null", "[]", "[{}]", "\"{}\"", "hello", "\0")));
            case NOT_UTF8 -> notUtf8(path, good);
            case CONTROL_CHARACTER -> json(kind, path, good.substring(0, at + 1) + "\u0001" + good.substring(at + 1));
            case DUPLICATE_KEY -> {
                String key = good.substring(0, good.indexOf(':') + 1);
                yield json(kind, path, key + "1," + good.substring(1));
            }
            case TRAILING -> json(kind, path, good + any(List.of(good, "}", ",", "1", "\0", "garbage")));
            case UNKNOWN_PARAMETER ->
                with(kind, path, "\"key" + random.nextInt() + "\":" + any(List.of("1", "{}", "true")));
            case UNKNOWN_ROLE -> {
                String asked = any(List.of("/v1/chat/completions", "/v1/messages", "/api/chat"));
                String role = any(List.of("tool", "User", "", "human", "\\u0000", "x".repeat(5000)));
                yield json(kind, asked, good(asked).replace("user", role));
            }
            case BAD_BASE64 ->
                image(
                        kind,
                        any(List.of(
                                "",
                                "####",
                                "AAA",
                                "A===",
                                "AAAA",
                                "iVBORw0KGgo=",
                                "=".repeat(50),
                                "\u00e9",
                                "/etc/passwd")));
            case TRUNCATED_IMAGE -> {
                byte[] png = Base64.getDecoder().decode(TestServer.png(0x00ff00));
                yield image(kind, base64(Arrays.copyOf(png, 20 + random.nextInt(png.length - 40))));
            }
            case BOMB -> image(kind, base64(any(List.of(pngBomb(), bmpBomb(), gifBomb()))));
            case TOO_MANY_IMAGES -> {
                String images = ",\"" + TestServer.png(1) + "\"";
                yield json(
                        kind,
                        "/api/generate",
                        WITH_IMAGE
                                .getOrDefault("/api/generate", "")
                                .replace(
                                        ",\"images\":[\"%\"",
                                        ",\"images\":[\"" + TestServer.png(1) + "\""
                                                + images.repeat(TestServer.IMAGES.maxCount() + random.nextInt(20))));
            }
            case BAD_ADDRESS -> badAddress();
            case BAD_SCHEMA -> badSchema();
            case BAD_STOP -> badStop();
            case CONTENT_TYPE -> {
                String asked = any(List.of("/v1/chat/completions", "/v1/messages", "/tokenize", "/v1/responses"));
                yield new Request(
                        kind,
                        "POST",
                        asked,
                        bytes(good(asked)),
                        any(List.of(
                                "text/plain",
                                "application/xml",
                                "multipart/form-data; boundary=x",
                                "application/jsonp",
                                "application/x-www-form-urlencoded",
                                "image/png")),
                        Map.of());
            }
            case CONTENT_ENCODING ->
                new Request(
                        kind,
                        "POST",
                        path,
                        bytes(good),
                        "application/json",
                        Map.of("Content-Encoding", any(List.of("gzip", "br", "deflate", "zstd", "nonsense"))));
            case METHOD ->
                new Request(
                        kind,
                        any(List.of("GET", "PUT", "DELETE", "PATCH")),
                        path,
                        bytes(good),
                        "application/json",
                        Map.of());
            case PATH ->
                json(
                        kind,
                        any(List.of("/v1/", "/api/", "/v1/messages/", "/v2/", "/v1/models/")) + "no" + random.nextInt(),
                        good);
        };
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static Request json(Kind kind, String path, String body) {
        return new Request(kind, "POST", path, bytes(body), "application/json", Map.of());
    }

    /** The good request with a parameter more. */
    private static Request with(Kind kind, String path, String parameter) {
        String good = good(path);
        return json(kind, path, good.substring(0, good.length() - 1) + "," + parameter + "}");
    }

    private Request image(Kind kind, String base64) {
        String path = path(WITH_IMAGE);
        String request = WITH_IMAGE.getOrDefault(path, "");
        boolean isUrl = path.equals("/v1/chat/completions") || path.equals("/v1/responses");
        return json(kind, path, request.replace("%", isUrl ? "data:image/png;base64," + base64 : base64));
    }

    private String nested(String path) {
        int depth = 65 + random.nextInt(20_000);
        String value = any(List.of(
                "[".repeat(depth),
                "[".repeat(depth) + "]".repeat(depth),
                "{\"a\":".repeat(depth) + "1" + "}".repeat(depth),
                "[{\"a\":".repeat(depth)));
        String good = good(path);
        return random.nextBoolean() ? value : good.substring(0, good.indexOf(':') + 1) + value + "}";
    }

    private Request hugeNumber() {
        String path = any(List.of("/v1/chat/completions", "/v1/completions", "/v1/messages", "/api/chat"));
        String name = any(List.of("temperature", "top_p", "top_k", "seed"));
        String number = any(List.of(
                "1e999",
                "-1e999",
                "9".repeat(25 + random.nextInt(3000)),
                "-" + "9".repeat(30),
                "NaN",
                "Infinity",
                "0x10",
                "01",
                "1e",
                ".5",
                "1e" + "9".repeat(30),
                "0." + "0".repeat(3000) + "1e4000"));
        if (path.equals("/api/chat")) {
            return json(
                    Kind.HUGE_NUMBER,
                    path,
                    good(path).replace("\"num_predict\"", "\"" + name + "\":" + number + ",\"num_predict\""));
        }
        return with(Kind.HUGE_NUMBER, path, "\"" + name + "\":" + number);
    }

    private Request wrongType() {
        String path = any(List.of(
                "/v1/chat/completions",
                "/v1/responses",
                "/v1/completions",
                "/v1/messages",
                "/v1/messages/count_tokens",
                "/api/chat",
                "/api/generate",
                "/tokenize",
                "/detokenize"));
        String good = good(path);
        List<String> values = List.of(
                "1",
                "true",
                "{}",
                "[1]",
                "[[]]",
                "[{}]",
                "[null]",
                "[{\"type\":\"video\"}]",
                "\"<image>\"",
                "1e5",
                "-1",
                "[true]",
                "{\"role\":\"user\"}");
        if (path.equals("/tokenize")) {
            return json(Kind.WRONG_TYPE, path, "{\"text\":" + any(List.of("1", "true", "{}", "[]", "null")) + "}");
        }
        if (path.equals("/detokenize")) {
            return json(
                    Kind.WRONG_TYPE,
                    path,
                    "{\"tokens\":"
                            + any(List.of(
                                    "1", "[-1]", "[1.5]", "[\"a\"]", "[99999999]", "{}", "[1e99]", "[null]", "null"))
                            + "}");
        }
        int name = good.contains("\"content\"") ? good.indexOf("\"content\"") : 1;
        int from = good.indexOf(':', name) + 1;
        int to = good.indexOf("\"hello\"") + "\"hello\"".length();
        return json(Kind.WRONG_TYPE, path, good.substring(0, from) + any(values) + good.substring(to));
    }

    private Request notUtf8(String path, String good) {
        byte[] body = bytes(good);
        int at = good.lastIndexOf('"');
        body[at - 1] = any(List.of((byte) 0xff, (byte) 0xc0, (byte) 0x80, (byte) 0xfe));
        return new Request(Kind.NOT_UTF8, "POST", path, body, "application/json", Map.of());
    }

    private Request badAddress() {
        String address = any(List.of(
                "file:///etc/passwd",
                "/etc/passwd",
                "http://127.0.0.1/a.png",
                "https://example.com/a.png",
                "data:text/plain,hello",
                "data:image/png,abc",
                "gopher://x",
                "",
                "data:",
                "HTTP://169.254.169.254/latest",
                "ftp://a/b",
                "javascript:1",
                "data:image/png;base64",
                "\\u0000"));
        if (random.nextInt(3) == 0) {
            return json(
                    Kind.BAD_ADDRESS,
                    "/v1/messages",
                    "{\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":"
                            + "[{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"" + address + "\"}}]}]}");
        }
        String path = any(List.of("/v1/chat/completions", "/v1/responses"));
        return json(Kind.BAD_ADDRESS, path, WITH_IMAGE.getOrDefault(path, "").replace("%", address));
    }

    private Request badSchema() {
        String schema = any(List.of(
                "1",
                "[]",
                "\"string\"",
                "{\"type\":\"thing\"}",
                "{\"type\":1}",
                "{\"enum\":[]}",
                "{\"$ref\":\"#/nowhere\"}",
                "{\"$ref\":\"#\"}",
                "{\"pattern\":\"(\"}",
                "{\"minLength\":-1,\"type\":\"string\"}",
                "{\"not\":{}}",
                "{\"type\":\"array\",\"maxItems\":\"2\"}"));
        return switch (random.nextInt(3)) {
            case 0 ->
                with(
                        Kind.BAD_SCHEMA,
                        "/v1/chat/completions",
                        "\"response_format\":{\"type\":\"json_schema\"," + "\"json_schema\":{\"name\":\"a\",\"schema\":"
                                + schema + "}}");
            case 1 ->
                with(
                        Kind.BAD_SCHEMA,
                        "/v1/responses",
                        "\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"a\"," + "\"schema\":" + schema
                                + "}}");
            default -> with(Kind.BAD_SCHEMA, "/api/chat", "\"format\":" + schema);
        };
    }

    private Request badStop() {
        String stops =
                any(List.of("[\"\"]", "1", "{}", "[1]", "[null]", "[" + "\"a\",".repeat(200) + "\"b\"]", "\"\""));
        String path = any(List.of("/v1/chat/completions", "/v1/completions", "/v1/messages", "/api/generate"));
        return switch (path) {
            case "/v1/messages" -> with(Kind.BAD_STOP, path, "\"stop_sequences\":" + stops);
            case "/api/generate" ->
                json(
                        Kind.BAD_STOP,
                        path,
                        good(path).replace("\"num_predict\"", "\"stop\":" + stops + ",\"num_predict\""));
            default -> with(Kind.BAD_STOP, path, "\"stop\":" + stops);
        };
    }

    private int edge() {
        return 60_000 + random.nextInt(1_000_000);
    }

    /** A PNG whose header promises more pixels than anybody decodes. */
    private byte[] pngBomb() {
        ByteBuffer png = ByteBuffer.wrap(tiny("png"));
        png.putInt(16, edge()).putInt(20, edge());
        CRC32 crc = new CRC32();
        crc.update(png.array(), 12, 17);
        png.putInt(29, (int) crc.getValue());
        return png.array();
    }

    private byte[] bmpBomb() {
        ByteBuffer bmp = ByteBuffer.wrap(tiny("bmp"));
        bmp.putInt(18, Integer.reverseBytes(edge())).putInt(22, Integer.reverseBytes(edge()));
        return bmp.array();
    }

    private static byte[] gifBomb() {
        ByteBuffer gif = ByteBuffer.wrap(tiny("gif"));
        gif.putInt(6, 0xffffffff); // 65535 x 65535
        return gif.array();
    }

    private static byte[] tiny(String format) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB), format, out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }
}
