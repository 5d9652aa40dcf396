package io.llava4j.train.data.raw;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Writes a list of plain data as a Python pickle, protocol 2, the format of RefCOCO's references. */
public final class PickleWriter implements AutoCloseable {
    private final DataOutputStream out;

    /** Starts a file with a list. */
    public PickleWriter(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 1 << 18));
        out.write(0x80);
        out.write(2);
        out.write(']');
    }

    /** Adds an element of maps with text keys, lists, texts and 32-bit integers. */
    public void add(Map<String, ?> record) throws IOException {
        write(record);
        out.write('a');
    }

    private void write(Object value) throws IOException {
        switch (value) {
            case Map<?, ?> map -> {
                out.write('}');
                out.write('(');
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    write(entry.getKey());
                    write(entry.getValue());
                }
                out.write('u');
            }
            case List<?> list -> {
                out.write(']');
                out.write('(');
                for (Object element : list) {
                    write(element);
                }
                out.write('e');
            }
            case String text -> {
                byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                out.write('X');
                out.writeInt(Integer.reverseBytes(bytes.length));
                out.write(bytes);
            }
            case Integer number -> {
                out.write('J');
                out.writeInt(Integer.reverseBytes(number));
            }
            default -> throw new IllegalArgumentException(value.getClass().getName());
        }
    }

    @Override
    public void close() throws IOException {
        out.write('.');
        out.close();
    }
}
