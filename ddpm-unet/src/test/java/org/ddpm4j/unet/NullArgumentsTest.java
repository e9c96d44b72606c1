package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.ddpm4j.unet.layers.FusedLayers;
import org.ddpm4j.unet.layers.Initialization;
import org.ddpm4j.unet.layers.Modules;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.ReferenceLayers;
import org.ddpm4j.unet.layers.WeightLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/** Arguments that are missing are named at once, and not when a graph is built. */
class NullArgumentsTest {

  private static Arguments missing(String name, ThrowingCallable call) {
    return Arguments.of(name, call);
  }

  static Stream<Arguments> calls() {
    ReferenceLayers layers = new ReferenceLayers(SameDiff.create(), DataType.FLOAT);
    return Stream.of(
        missing("graph", () -> new FusedLayers(null)),
        missing("graph", () -> new ReferenceLayers(null, DataType.FLOAT)),
        missing("dataType", () -> new ReferenceLayers(SameDiff.create(), null)),
        missing("layers", () -> new Modules(null, parameter -> null)),
        missing("declare", () -> new Modules(layers, null)),
        missing("layout", () -> new Parameter("x", null, new long[] {1}, Initialization.ZEROS)),
        missing(
            "shape", () -> new Parameter("x", WeightLayout.VECTOR, null, Initialization.ZEROS)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void namesWhatIsMissing(String name, ThrowingCallable call) {
    assertThatNullPointerException().isThrownBy(call).withMessage(name);
  }
}
