package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept of compiled kernels is found again, or not at all. */
class KernelCacheTest {

  private static final String KEY = "a1b2";

  @TempDir Path root;

  private static byte[] code() {
    byte[] code = new byte[1000];
    new Random(1).nextBytes(code);
    return code;
  }

  private KernelCache kept() {
    KernelCache cache = new KernelCache(root.resolve("not").resolve("there"));
    cache.keep(KEY, code());
    return cache;
  }

  private static List<Path> files(KernelCache cache) throws IOException {
    try (Stream<Path> files = Files.list(cache.folder())) {
      return files.toList();
    }
  }

  @Test
  void findsWhatItKeeps() throws IOException {
    KernelCache cache = kept();
    assertThat(cache.find(KEY)).hasValue(code());
    assertThat(cache.find("other")).isEmpty();
    cache.keep(KEY, new byte[] {7});
    assertThat(cache.find(KEY)).hasValue(new byte[] {7});
    assertThat(files(cache)).as("nothing temporary").hasSize(1);
  }

  @Test
  void findsNothingThatIsDamaged() throws IOException {
    KernelCache cache = kept();
    Path file = files(cache).get(0);
    byte[] whole = Files.readAllBytes(file);
    for (int length : new int[] {0, 20, 32, 500, whole.length - 1}) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThat(cache.find(KEY)).as("%d bytes", length).isEmpty();
    }
    for (int changed : new int[] {0, 700, whole.length - 1}) {
      byte[] content = whole.clone();
      content[changed] ^= 1;
      Files.write(file, content);
      assertThat(cache.find(KEY)).as("byte %d", changed).isEmpty();
    }
    // As it was before there were digests.
    Files.write(file, code());
    assertThat(cache.find(KEY)).isEmpty();
    cache.keep(KEY, code());
    assertThat(cache.find(KEY)).hasValue(code());
  }

  @Test
  void doesWithoutFolder() throws IOException {
    Path file = Files.createFile(root.resolve("file"));
    KernelCache cache = new KernelCache(file.resolve("cuda"));
    cache.keep(KEY, code());
    assertThat(cache.find(KEY)).isEmpty();
  }
}
