package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arguments that are missing are named at once. */
class NullArgumentsTest {

  private static Arguments missing(String name, ThrowingCallable call) {
    return Arguments.of(name, call);
  }

  static Stream<Arguments> calls() {
    DataSources sources = DataSources.ofHost();
    return Stream.of(
        missing("split", () -> FashionMnist.load(null, sources)),
        missing("sources", () -> FashionMnist.load(Split.TEST, null)),
        missing("sources", () -> Cifar10.load(Split.TEST, null)),
        missing("sources", () -> TinyImageNet.load(Split.TEST, null)),
        missing("variant", () -> Emnist.load(null, Split.TEST)),
        missing("file", () -> IdxFile.read((Path) null)),
        missing("shape", () -> ImageFile.read(Path.of("nowhere.png"), null)),
        missing(
            "labels",
            () -> ImageDataSet.of(null, (PixelSource) null, null, List.of("cat"), "test")),
        missing("reader", () -> ImageDataSet.read(null, "test")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void namesWhatIsMissing(String name, ThrowingCallable call) {
    assertThatNullPointerException().isThrownBy(call).withMessage(name);
  }
}
