package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.WeightCache;
import org.ddpm4j.unet.model.MinimalUnet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

class PlanWeightsTest {

  private final AtomicBoolean tooLittleMemory = new AtomicBoolean();
  private final AtomicInteger packed = new AtomicInteger();

  private final WeightCache cache =
      new WeightCache() {
        @Override
        public void refresh() {
          if (tooLittleMemory.get()) {
            throw new OutOfMemoryError("too little");
          }
          packed.incrementAndGet();
        }

        @Override
        public void close() {}
      };

  private final Device device =
      (Device)
          Proxy.newProxyInstance(
              Device.class.getClassLoader(),
              new Class<?>[] {Device.class},
              (self, method, arguments) -> cache);

  /** A loaded network's, of which nobody has an array, and one's of which somebody has. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void copiesThatCouldNotBeMadeAreMadeBeforeTheyAreUsed(boolean lent) {
    Parameters parameters =
        Parameters.zeros(Unet.declarations(MinimalUnet.of(1), DataType.FLOAT), DataType.FLOAT);
    if (lent) {
      parameters.flat().addi(1);
    }
    PlanWeights weights = new PlanWeights(parameters, device);
    weights.withCurrent(() -> null);
    weights.withCurrent(() -> null);
    assertThat(packed.get()).isEqualTo(1);

    parameters.initialize(1);
    tooLittleMemory.set(true);
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> weights.withCurrent(() -> "old weights"))
          .isInstanceOf(OutOfMemoryError.class);
    }
    tooLittleMemory.set(false);
    assertThat(weights.withCurrent(packed::get)).isEqualTo(2);
    assertThat(weights.withCurrent(packed::get)).isEqualTo(2);

    // Half of the copies may be new when packing for a gradient fails.
    tooLittleMemory.set(true);
    assertThatThrownBy(() -> weights.withChanged(() -> "old weights"))
        .isInstanceOf(OutOfMemoryError.class);
    tooLittleMemory.set(false);
    assertThat(weights.withCurrent(packed::get)).isEqualTo(3);
  }
}
