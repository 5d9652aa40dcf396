package io.llava4j.train.run.log;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * TensorBoard's event file: records of TensorFlow's {@code Event} message, each as length, checksum of the length, bytes,
 * checksum of the bytes. Only scalars are written.
 */
public final class EventFile implements AutoCloseable {
    private static final int MASK_DELTA = 0xa282ead8;

    private final OutputStream out;

    /** Begins a file, replacing an older one. */
    public EventFile(Path file, double wallTime) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        this.out = Files.newOutputStream(file);
        Message event = new Message();
        event.fixed64(1, wallTime);
        event.bytes(3, "brain.Event:2".getBytes(StandardCharsets.UTF_8));
        write(event.toBytes());
    }

    /**
     * Writes the values of a step and makes them visible.
     *
     * @param wallTime seconds since 1970
     */
    public void scalars(double wallTime, long step, Map<String, Double> values) throws IOException {
        Message summary = new Message();
        values.forEach((tag, number) -> {
            Message value = new Message();
            value.bytes(1, tag.getBytes(StandardCharsets.UTF_8));
            value.fixed32(2, number.floatValue());
            summary.bytes(1, value.toBytes());
        });
        Message event = new Message();
        event.fixed64(1, wallTime);
        event.varint(2, step);
        event.bytes(5, summary.toBytes());
        write(event.toBytes());
    }

    private void write(byte[] data) throws IOException {
        ByteBuffer length =
                ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, data.length);
        ByteBuffer record = ByteBuffer.allocate(data.length + 16).order(ByteOrder.LITTLE_ENDIAN);
        record.put(length.array()).putInt(checksum(length.array())).put(data).putInt(checksum(data));
        out.write(record.array());
        out.flush();
    }

    /** CRC-32C, rotated and shifted as TensorFlow's record format wants it. */
    static int checksum(byte[] data) {
        CRC32C crc = new CRC32C();
        crc.update(data);
        return Integer.rotateRight((int) crc.getValue(), 15) + MASK_DELTA;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }

    /** The few wire types of a protocol buffer that an event needs. */
    private static final class Message {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        void varint(int field, long value) {
            unsigned((long) field << 3);
            unsigned(value);
        }

        void fixed64(int field, double value) {
            unsigned((long) field << 3 | 1);
            little(Double.doubleToRawLongBits(value), 8);
        }

        void fixed32(int field, float value) {
            unsigned((long) field << 3 | 5);
            little(Float.floatToRawIntBits(value), 4);
        }

        void bytes(int field, byte[] value) {
            unsigned((long) field << 3 | 2);
            unsigned(value.length);
            bytes.writeBytes(value);
        }

        byte[] toBytes() {
            return bytes.toByteArray();
        }

        private void unsigned(long value) {
            long rest = value;
            while ((rest & ~0x7FL) != 0) {
                bytes.write((int) (rest & 0x7F | 0x80));
                rest >>>= 7;
            }
            bytes.write((int) rest);
        }

        private void little(long value, int count) {
            for (int i = 0; i < count; i++) {
                bytes.write((int) (value >>> (8 * i)));
            }
        }
    }
}
