package io.llava4j.train.run.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
    @TempDir
    private Path dir;

    @Test
    void checksumsAreTensorFlowsMaskedCrc() {
        // CRC-32C of "123456789" is e3069283 (RFC 3720); TensorFlow's mask rotates by 15 and adds a282ead8.
        int crc = 0xe3069283;
        assertThat(EventFile.checksum("123456789".getBytes(StandardCharsets.US_ASCII)))
                .isEqualTo((crc >>> 15 | crc << 17) + 0xa282ead8);
    }

    @Test
    void recordsHoldVersionThenScalars() throws IOException {
        Path file = dir.resolve("tb/events");
        try (EventFile events = new EventFile(file, 1.5)) {
            events.scalars(2.5, 300, Map.of("train/loss", 0.5));
        }
        List<byte[]> records = records(Files.readAllBytes(file));
        assertThat(records).hasSize(2);
        assertThat(HexFormat.of().formatHex(records.getFirst()))
                .isEqualTo("09000000000000f83f1a0d"
                        + HexFormat.of().formatHex("brain.Event:2".getBytes(StandardCharsets.US_ASCII)));
        // wall_time 2.5, step 300, summary { value { tag "train/loss" simple_value 0.5 } }
        assertThat(HexFormat.of().formatHex(records.getLast()))
                .isEqualTo("09000000000000044010ac022a130a110a0a"
                        + HexFormat.of().formatHex("train/loss".getBytes(StandardCharsets.US_ASCII))
                        + "150000003f");
    }

    private static List<byte[]> records(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        List<byte[]> records = new ArrayList<>();
        while (buffer.hasRemaining()) {
            byte[] length = new byte[8];
            buffer.get(buffer.position(), length);
            byte[] data = new byte[Math.toIntExact(buffer.getLong())];
            assertThat(buffer.getInt()).isEqualTo(EventFile.checksum(length));
            buffer.get(data);
            assertThat(buffer.getInt()).isEqualTo(EventFile.checksum(data));
            records.add(data);
        }
        return records;
    }
}
