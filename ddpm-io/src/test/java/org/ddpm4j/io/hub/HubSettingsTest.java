package org.ddpm4j.io.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As huggingface_hub's constants.py reads the environment. */
class HubSettingsTest {

  @TempDir private Path home;

  private HubSettings of(Map<String, String> environment) throws IOException {
    return HubSettings.of(environment, home);
  }

  @Test
  void theCacheIsPythons() throws IOException {
    Path caches = home.resolve(".cache");
    assertThat(of(Map.of()).cache()).isEqualTo(caches.resolve("huggingface/hub"));
    assertThat(of(Map.of("XDG_CACHE_HOME", "/x")).cache()).isEqualTo(Path.of("/x/huggingface/hub"));
    assertThat(of(Map.of("HF_HOME", "/h", "XDG_CACHE_HOME", "/x")).cache())
        .isEqualTo(Path.of("/h/hub"));
    assertThat(of(Map.of("HF_HUB_CACHE", "~/c", "HF_HOME", "/h")).cache())
        .isEqualTo(home.resolve("c"));
    assertThat(of(Map.of("HUGGINGFACE_HUB_CACHE", "/old")).cache()).isEqualTo(Path.of("/old"));
  }

  @Test
  void theTokenIsTheVariablesOrThatOfALogin() throws IOException {
    assertThat(of(Map.of()).token()).isEmpty();
    Path hub = Files.createDirectories(home.resolve(".cache/huggingface"));
    Files.writeString(hub.resolve("token"), "hf_login\n");
    assertThat(of(Map.of()).token()).contains("hf_login");
    assertThat(of(Map.of("HF_TOKEN", " hf_variable ")).token()).contains("hf_variable");
    Path other = Files.writeString(home.resolve("other"), "hf_other");
    HubSettings settings = of(Map.of("HF_TOKEN_PATH", other.toString()));
    assertThat(settings.token()).contains("hf_other");
    assertThat(settings.toString()).doesNotContain("hf_other");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> of(Map.of("HF_TOKEN", "two words")))
        .withMessageContaining("HF_TOKEN")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("two words"));
  }

  @Test
  void theServerAndTheNetwork() throws IOException {
    assertThat(of(Map.of()).endpoint()).hasToString("https://huggingface.co");
    assertThat(of(Map.of("HF_ENDPOINT", "http://mirror:8080/hf/")).endpoint())
        .hasToString("http://mirror:8080/hf");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> of(Map.of("HF_ENDPOINT", "file:///etc")))
        .withMessageContaining("HF_ENDPOINT");
    assertThat(of(Map.of()).offline()).isFalse();
    assertThat(of(Map.of("HF_HUB_OFFLINE", "true")).offline()).isTrue();
    assertThat(of(Map.of("HF_HUB_OFFLINE", "0", "TRANSFORMERS_OFFLINE", "1")).offline()).isTrue();
    assertThat(of(Map.of("HF_HUB_OFFLINE", "no")).offline()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"google/ddpm-cat-256", "a/b@v1.0", "a/b@refs/pr/1", "J_1/x.y@0123abc", "_a/b-_"})
  void namesOfModels(String name) {
    assertThat(HubName.isName(name)).isTrue();
    assertThat(HubName.parse(name)).hasToString(name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "gpt2",
        "a/b/c",
        "../b",
        "a/..",
        "/a/b",
        "a/b@",
        "a/b@../x",
        "a/b@x/../y",
        "a b/c",
        "a/b@/x",
        "./a",
        "a/.b",
        "a\\b/c",
        "a/b."
      })
  void otherTexts(String text) {
    assertThat(HubName.isName(text)).isFalse();
    assertThatIllegalArgumentException().isThrownBy(() -> HubName.parse(text));
  }
}
