package org.ddpm4j.io.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * What an ETag of the hub says of a file's content: of a large file it is the SHA-256, of others
 * Git's name for them, the SHA-1 of their length and content.
 */
final class ContentHash {

  private static final int BLOCK_BYTES = 1 << 16;

  private ContentHash() {}

  /** The ETag that a file should have, if the given one is of a kind that can be computed. */
  static Optional<String> like(String etag, Path file) throws IOException {
    if (etag.matches("[0-9a-f]{64}")) {
      return Optional.of(hash(digest("SHA-256"), file));
    }
    if (etag.matches("[0-9a-f]{40}")) {
      MessageDigest digest = digest("SHA-1");
      digest.update(("blob " + Files.size(file) + "\0").getBytes(StandardCharsets.US_ASCII));
      return Optional.of(hash(digest, file));
    }
    return Optional.empty();
  }

  private static String hash(MessageDigest digest, Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      var block = new byte[BLOCK_BYTES];
      for (int count = in.read(block); count >= 0; count = in.read(block)) {
        digest.update(block, 0, count);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-1 and SHA-256.", e);
    }
  }
}
