package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataSourcesTest {

  @TempDir Path home;

  @Test
  void theCacheFollowsTheXdgSpecification() {
    Path named = home.resolve("elsewhere").toAbsolutePath();

    assertThat(cache(Map.of("XDG_CACHE_HOME", named.toString())))
        .isEqualTo(named.resolve("ddpm4j"));
    Path usual = home.resolve(".cache").resolve("ddpm4j");
    assertThat(cache(Map.of())).isEqualTo(usual);
    assertThat(cache(Map.of("XDG_CACHE_HOME", ""))).isEqualTo(usual);
    assertThat(cache(Map.of("XDG_CACHE_HOME", "relative"))).isEqualTo(usual);
  }

  private Path cache(Map<String, String> environment) {
    return DataSources.ofHost(environment, home).cacheFolder();
  }

  @Test
  void refusesValuesThatMakeNoSense() {
    DataSources sources = DataSources.ofHost(Map.of(), home);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> sources.withMirror(URI.create("ftp://localhost/")))
        .withMessageContaining("expected an http or https address");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new DataSources(
                    Optional.empty(),
                    home,
                    home,
                    Network.ALLOWED,
                    Optional.empty(),
                    Duration.ZERO,
                    Duration.ofSeconds(1)))
        .withMessageContaining("connect timeout");
  }
}
