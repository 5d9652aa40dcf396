package io.llava4j.app.batch;

import io.llava4j.CheckpointException;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Failures;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.openai.BatchAnswers;
import io.llava4j.app.serve.openai.OpenAiErrors;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.io.FileErrors;
import io.llava4j.io.Quote;
import io.llava4j.train.batch.BatchInput;
import io.llava4j.train.batch.BatchLine;
import io.llava4j.train.batch.Fingerprint;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Requests in OpenAI's batch format: JSON lines of {@code custom_id, method, url, body}. Lines are read when they are answered, so
 * the file need not fit into memory.
 */
public final class OpenAiInput implements BatchInput {
    /** Longest line: some images in base64. */
    private static final int MAX_LINE_BYTES = 1 << 26;

    /** Where a line is, and what is wrong with it as far as that is known. */
    private record Line(
            int number, long offset, int length, @Nullable Problem problem) {}

    /** Why a line is no request, with OpenAI's code. */
    private record Problem(
            String code, String message, @Nullable String customId) {}

    /** A request of the file. */
    private record BatchRequest(String customId, String path, ObjectNode body) {}

    private static final class BadLineException extends RuntimeException {
        private final transient Problem problem;

        BadLineException(Problem problem) {
            super(problem.message());
            this.problem = problem;
        }
    }

    private final Path file;
    private final FileChannel channel;
    private final List<Line> lines = new ArrayList<>();
    private final String fingerprint;
    private final long seed;
    private final Supplier<ServedModel> opener;
    private @Nullable ServedModel model;

    private OpenAiInput(Path file, long seed, Supplier<ServedModel> opener) throws IOException {
        this.file = file;
        this.seed = seed;
        this.opener = opener;
        Fingerprint all = new Fingerprint();
        index(all);
        this.fingerprint = all.hex();
        this.channel = FileChannel.open(file);
    }

    /**
     * Finds the requests of a file.
     *
     * @param seed of the first request, where it has none
     * @param opener loads the model, under the names that requests may call it
     */
    public static OpenAiInput read(Path file, long seed, Supplier<ServedModel> opener) {
        try {
            return new OpenAiInput(file, seed, opener);
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    private void index(Fingerprint all) throws IOException {
        Map<String, Integer> lineOfId = new HashMap<>();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            long offset = 0;
            boolean more = true;
            for (int number = 1; more; number++) {
                bytes.reset();
                long length = 0;
                int b = in.read();
                for (; b >= 0 && b != '\n'; b = in.read()) {
                    if (++length <= MAX_LINE_BYTES) {
                        bytes.write(b);
                    }
                }
                more = b >= 0;
                byte[] line = bytes.toByteArray();
                all.add(line).add(new byte[] {'\n'});
                if (length > MAX_LINE_BYTES) {
                    lines.add(new Line(
                            number,
                            offset,
                            0,
                            new Problem(
                                    "invalid_json_line",
                                    "%s line %d has %d bytes, more than a request may have (%d); send fewer or smaller images"
                                            .formatted(file, number, length, MAX_LINE_BYTES),
                                    null)));
                } else if (!new String(line, StandardCharsets.UTF_8).isBlank()) {
                    lines.add(new Line(number, offset, line.length, problem(line, number, lineOfId)));
                }
                offset += length + 1;
            }
        }
    }

    private @Nullable Problem problem(byte[] line, int number, Map<String, Integer> lineOfId) {
        try {
            String id = request(line, number).customId();
            Integer earlier = lineOfId.putIfAbsent(id, number);
            return earlier == null
                    ? null
                    : new Problem(
                            "duplicate_custom_id",
                            "%s line %d has the custom_id %s of line %d; give each request its own"
                                    .formatted(file, number, Quote.of(id), earlier),
                            id);
        } catch (BadLineException e) {
            return e.problem;
        }
    }

    private BatchRequest request(byte[] line, int number) {
        String where = file + " line " + number;
        ObjectNode request;
        try {
            boolean mark =
                    line.length > 2 && line[0] == (byte) 0xEF && line[1] == (byte) 0xBB && line[2] == (byte) 0xBF;
            request = Json.parse(mark ? Arrays.copyOfRange(line, 3, line.length) : line, where);
        } catch (ApiException e) {
            throw new BadLineException(new Problem("invalid_json_line", e.sentence(), null));
        }
        JsonNode id = request.path("custom_id");
        if (!id.isString() || id.stringValue().isEmpty()) {
            throw new BadLineException(new Problem(
                    "missing_required_parameter",
                    where + " has no custom_id; write a string that no other line has",
                    null));
        }
        String method = request.path("method").asString("POST");
        String path = request.path("url").asString("");
        String code = "";
        String problem = "";
        if (!method.equals("POST")) {
            code = "invalid_method";
            problem = "its method is %s; write POST".formatted(Quote.of(method));
        } else if (!BatchAnswers.PATHS.contains(path)) {
            code = "invalid_url";
            problem = "its url is %s; write one of %s".formatted(Quote.of(path), String.join(", ", BatchAnswers.PATHS));
        } else if (!request.path("body").isObject()) {
            code = "missing_required_parameter";
            problem = "its body is no object; write the request into it";
        }
        if (!code.isEmpty()) {
            throw new BadLineException(new Problem(
                    code,
                    "%s (custom_id %s): %s".formatted(where, Quote.of(id.stringValue()), problem),
                    id.stringValue()));
        }
        return new BatchRequest(id.stringValue(), path, (ObjectNode) request.path("body"));
    }

    @Override
    public String format() {
        return "openai";
    }

    @Override
    public int size() {
        return lines.size();
    }

    @Override
    public String fingerprint() {
        return fingerprint;
    }

    @Override
    public String problem(int index) {
        Problem problem = lines.get(index).problem();
        return problem == null ? "" : problem.message();
    }

    @Override
    public synchronized void open() {
        model = opener.get();
    }

    private synchronized ServedModel model() {
        return Objects.requireNonNull(model, "the model is opened before requests are answered");
    }

    @Override
    public BatchLine answer(int index) {
        Line line = lines.get(index);
        Problem problem = line.problem();
        if (problem != null) {
            return broken(index, problem);
        }
        BatchRequest request;
        try {
            request = request(bytes(line), line.number());
        } catch (BadLineException e) {
            throw new IllegalStateException(file + " changed while it was answered", e);
        }
        ObjectNode written = head(index, request.customId());
        String requestId = id("req_", index);
        try {
            BatchAnswers.Answered answered =
                    new BatchAnswers(model()).answer(request.path(), request.body(), requestId, seed + index);
            respond(written, 200, requestId).set("body", answered.body());
            written.putNull("error");
            return BatchLine.answered(
                    written, answered.answer().finish(), answered.answer().usage());
        } catch (CancellationException | CheckpointException e) {
            throw e;
        } catch (RuntimeException e) {
            ApiException failure = Failures.of(e);
            respond(written, failure.kind().status(), requestId)
                    .set("body", OpenAiErrors.INSTANCE.body(failure, requestId));
            written.putNull("error");
            return BatchLine.failed(
                    written,
                    "%s line %d (custom_id %s): %s"
                            .formatted(file, line.number(), Quote.of(request.customId()), failure.sentence()));
        }
    }

    private BatchLine broken(int index, Problem problem) {
        ObjectNode written = head(index, problem.customId()).putNull("response");
        written.putObject("error").put("code", problem.code()).put("message", problem.message());
        return BatchLine.failed(written, problem.message());
    }

    private ObjectNode head(int index, @Nullable String customId) {
        return Json.object().put("id", id("batch_req_", index)).put("custom_id", customId);
    }

    private static ObjectNode respond(ObjectNode line, int status, String requestId) {
        return line.putObject("response").put("status_code", status).put("request_id", requestId);
    }

    /** An id that equal files have in equal lines. */
    private String id(String prefix, int index) {
        return prefix
                + new Fingerprint()
                        .add(fingerprint)
                        .add(Integer.toString(index))
                        .hex()
                        .substring(0, 24);
    }

    private byte[] bytes(Line line) {
        ByteBuffer buffer = ByteBuffer.allocate(line.length());
        try {
            while (buffer.hasRemaining() && channel.read(buffer, line.offset() + buffer.position()) >= 0) {}
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
        return buffer.array();
    }

    @Override
    public synchronized void close() {
        if (model != null) {
            model.close();
        }
        try {
            channel.close();
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }
}
