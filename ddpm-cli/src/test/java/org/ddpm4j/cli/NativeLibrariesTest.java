package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class NativeLibrariesTest {

  private static final AtomicReference<String> LOADED_BY = new AtomicReference<>();

  /** Stands for a class of JavaCPP, whose initialiser loads a library. */
  static final class Loading {
    static {
      LOADED_BY.set(Thread.currentThread().getName());
    }

    private Loading() {}
  }

  /** A class whose library is not there. */
  static final class Broken {
    static {
      load();
    }

    private Broken() {}

    private static void load() {
      throw new UnsatisfiedLinkError("no jnibroken in java.library.path");
    }
  }

  @Test
  void loadsInAThreadOfItsOwn() {
    NativeLibraries.ahead(List.of(Loading.class.getName())).await();
    assertThat(LOADED_BY.get()).isNotNull().isNotEqualTo(Thread.currentThread().getName());
  }

  @Test
  void whoeverWaitsHearsWhatWentWrong() {
    NativeLibraries libraries = NativeLibraries.ahead(List.of(Broken.class.getName()));
    assertThatExceptionOfType(UnsatisfiedLinkError.class)
        .isThrownBy(libraries::await)
        .withMessage("no jnibroken in java.library.path");
  }

  @Test
  void aBackendForCardsHasNoneOfThem() {
    NativeLibraries libraries = NativeLibraries.ahead(List.of("org.ddpm4j.cli.NoSuchClass"));
    assertThatCode(libraries::await).doesNotThrowAnyException();
  }

  @Test
  void onlyCommandsThatDrawLoadAhead() {
    assertThat(NativeLibraries.ahead()).isSameAs(NativeLibraries.WHEN_NEEDED);
    assertThat(NativeLibraries.ahead("info", "sample")).isSameAs(NativeLibraries.WHEN_NEEDED);
    assertThat(NativeLibraries.ahead("sample")).isNotSameAs(NativeLibraries.WHEN_NEEDED);
  }
}
