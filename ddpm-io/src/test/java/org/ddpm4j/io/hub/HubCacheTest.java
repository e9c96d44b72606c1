package org.ddpm4j.io.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Caches as Python leaves them, and what else may lie in one. */
class HubCacheTest {

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  @TempDir private Path cache;

  private Path model(String folder, String ref) throws IOException {
    Path snapshot =
        Files.createDirectories(cache.resolve(folder).resolve("snapshots").resolve(COMMIT));
    Files.createDirectories(cache.resolve(folder).resolve("refs"));
    Files.writeString(cache.resolve(folder).resolve("refs/main"), ref);
    return snapshot;
  }

  @Test
  void modelsAreListedWithTheCommitOfTheirBranch() throws IOException {
    Path cats = model("models--google--ddpm-cat-256", COMMIT + "\n");
    Path beds = model("models--google--ddpm--bedrooms", COMMIT);

    assertThat(HubCache.models(cache))
        .containsExactly(
            new HubCache.Cached(new HubName("google", "ddpm--bedrooms", COMMIT), beds),
            new HubCache.Cached(new HubName("google", "ddpm-cat-256", COMMIT), cats));
  }

  @Test
  void whatIsNoModelIsLeftOut() throws IOException {
    model("datasets--google--cats", COMMIT);
    model("models--google--damaged", "../../../etc");
    model("models--google--other-commit", COMMIT.replace('0', '1'));
    model("models--google--sp ace", COMMIT);
    Files.createDirectories(cache.resolve("models--google--without-reference"));
    Files.createDirectories(cache.resolve(".locks"));

    assertThat(HubCache.models(cache)).isEmpty();
    assertThat(HubCache.models(cache.resolve("none"))).isEmpty();
  }
}
