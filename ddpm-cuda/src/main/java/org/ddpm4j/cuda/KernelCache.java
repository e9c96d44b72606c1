package org.ddpm4j.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiled kernels in a folder of the user's. Behind the code of each file is its digest: a driver
 * refuses a file that was cut off or damaged, at every start again, where compiling anew helps. A
 * folder that cannot be read or written costs time, nothing else.
 *
 * @param folder which need not exist
 */
record KernelCache(Path folder) {

  private static final Logger LOG = LoggerFactory.getLogger(KernelCache.class);

  private static final int DIGEST_BYTES = 32;

  /** That of the user. */
  static KernelCache ofUser() {
    String given = System.getenv("XDG_CACHE_HOME");
    Path root =
        given != null && !given.isBlank()
            ? Path.of(given)
            : Path.of(System.getProperty("user.home", "."), ".cache");
    return new KernelCache(root.resolve("ddpm4j").resolve("cuda"));
  }

  static byte[] digest(byte[] content) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(content);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private Path file(String key) {
    return folder.resolve(key + ".cubin");
  }

  /** The code that was kept under a key, if it is whole. */
  Optional<byte[]> find(String key) {
    byte[] content;
    try {
      content = Files.readAllBytes(file(key));
    } catch (IOException e) {
      return Optional.empty();
    }
    int length = content.length - DIGEST_BYTES;
    byte[] code = Arrays.copyOf(content, Math.max(0, length));
    boolean isWhole =
        length > 0
            && Arrays.equals(digest(code), Arrays.copyOfRange(content, length, content.length));
    if (!isWhole) {
      LOG.debug("The compiled kernel {} is damaged, and is compiled anew.", file(key));
    }
    return isWhole ? Optional.of(code) : Optional.empty();
  }

  /** Keeps code under a key, whatever there is. */
  void keep(String key, byte[] code) {
    try {
      Files.createDirectories(folder);
      Path temporary = Files.createTempFile(folder, "cubin", ".tmp");
      try {
        byte[] content = Arrays.copyOf(code, code.length + DIGEST_BYTES);
        System.arraycopy(digest(code), 0, content, code.length, DIGEST_BYTES);
        Files.write(temporary, content);
        Files.move(temporary, file(key), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      LOG.debug("The compiled kernel {} was not kept: {}", file(key), e.toString());
    }
  }
}
