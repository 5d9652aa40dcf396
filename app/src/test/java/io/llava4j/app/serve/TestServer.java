package io.llava4j.app.serve;

import io.llava4j.app.cli.TinyModel;
import io.llava4j.app.serve.http.AccessRules;
import io.llava4j.app.serve.http.ApiKeys;
import io.llava4j.app.serve.request.ImageLimits;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.tile.Tiling;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.imageio.ImageIO;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A server on a free port of this machine, with a tiny random model, and a client for it. */
public final class TestServer implements AutoCloseable {
    static final JsonMapper JSON = JsonMapper.builder().build();
    public static final AccessRules OPEN = new AccessRules(ApiKeys.NONE, List.of(), true);
    static final ImageLimits IMAGES = new ImageLimits(1 << 20, 3, false);

    final HttpClient client = HttpClient.newHttpClient();
    final ServedModel model;
    final LlavaServer server;

    private TestServer(ServedModel model, LlavaServer server) {
        this.model = model;
        this.server = server;
    }

    public static TestServer start(Path dir) {
        return start(dir, new Scheduler.Limits(4, 64, 0, 1 << 24, Duration.ofSeconds(60)), OPEN);
    }

    public static TestServer start(Path dir, Scheduler.Limits limits, AccessRules access) {
        return unloaded(limits, access, IMAGES).loaded(dir, 512, limits);
    }

    /** @param positions prompt and answer have no more tokens than these */
    static TestServer start(Path dir, int positions, Scheduler.Limits limits) {
        return unloaded(limits, OPEN, IMAGES).loaded(dir, positions, limits);
    }

    /** @param remote whether images may be addresses */
    static TestServer start(Path dir, Scheduler.Limits limits, boolean remote) {
        ImageLimits images = new ImageLimits(IMAGES.maxBytes(), IMAGES.maxCount(), remote);
        return unloaded(limits, OPEN, images).loaded(dir, 512, limits);
    }

    /** Of a model that tiles images. */
    static TestServer start(Path dir, Tiling tiling, Scheduler.Limits limits) {
        return unloaded(limits, OPEN, IMAGES).loaded(TinyModel.write(dir, 512, tiling), limits);
    }

    /** Of a model's folder. */
    static TestServer start(Path folder, ModelParts parts) {
        Scheduler.Limits limits = new Scheduler.Limits(4, 64, 0, 1 << 24, Duration.ofSeconds(60));
        return unloaded(limits, OPEN, IMAGES).loaded(folder, limits, parts);
    }

    private TestServer loaded(Path dir, int positions, Scheduler.Limits limits) {
        return loaded(TinyModel.write(dir, positions), limits);
    }

    private TestServer loaded(Path folder, Scheduler.Limits limits) {
        return loaded(folder, limits, ModelParts.FOUND);
    }

    private TestServer loaded(Path folder, Scheduler.Limits limits, ModelParts parts) {
        model.load(() -> ServedModel.Loaded.open(folder, "cpu", new LlavaPipeline.Settings(null, true, limits), parts));
        return this;
    }

    static TestServer unloaded(Scheduler.Limits limits, AccessRules access) {
        return unloaded(limits, access, IMAGES);
    }

    private static TestServer unloaded(Scheduler.Limits limits, AccessRules access, ImageLimits images) {
        ServedModel model = new ServedModel(List.of("tiny"), images, ExifOrientation.IGNORE);
        ServerOptions options =
                new ServerOptions(InetAddress.getLoopbackAddress(), 0, access, images, limits.timeout());
        return new TestServer(model, LlavaServer.start(options, model, "1.2.3"));
    }

    /** A response. */
    record Reply(int status, String body, HttpResponse<String> response) {
        JsonNode json() {
            return JSON.readTree(body);
        }

        String header(String name) {
            return response.headers().firstValue(name).orElse("");
        }

        /** The data of all server-sent events. */
        List<String> events() {
            List<String> data = new ArrayList<>();
            for (String event : body.split("\n\n")) {
                event.lines().filter(line -> line.startsWith("data: ")).forEach(line -> data.add(line.substring(6)));
            }
            return data;
        }
    }

    public URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(60));
    }

    Reply get(String path) {
        return send(request(path).GET().build());
    }

    Reply post(String path, String json) {
        return send(request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build());
    }

    Reply send(HttpRequest request) {
        try {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            return new Reply(response.statusCode(), response.body(), response);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A PNG of one colour, in base64. */
    public static String png(int rgb) {
        return png(rgb, 40, 30);
    }

    static String png(int rgb, int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                image.setRGB(x, y, rgb + x);
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Base64.getEncoder().encodeToString(out.toByteArray());
    }

    @Override
    public void close() {
        server.close();
        model.close();
        client.close();
    }
}
