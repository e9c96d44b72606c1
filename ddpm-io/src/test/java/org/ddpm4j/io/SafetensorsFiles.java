package org.ddpm4j.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Safetensors files for tests, put together by hand so that the writer is not its own oracle. */
final class SafetensorsFiles {

  private SafetensorsFiles() {}

  static byte[] bytes(long headerLength, byte[] header, int dataLength) {
    var bytes = new ByteArrayOutputStream();
    bytes.writeBytes(
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(headerLength).array());
    bytes.writeBytes(header);
    bytes.writeBytes(new byte[dataLength]);
    return bytes.toByteArray();
  }

  static byte[] bytes(String header, int dataLength) {
    byte[] utf8 = header.getBytes(StandardCharsets.UTF_8);
    return bytes(utf8.length, utf8, dataLength);
  }

  static Path write(Path folder, byte[] bytes) throws IOException {
    return Files.write(folder.resolve("model.safetensors"), bytes);
  }

  static Path resource(String name) {
    try {
      return Path.of(SafetensorsFiles.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(name, e);
    }
  }
}
