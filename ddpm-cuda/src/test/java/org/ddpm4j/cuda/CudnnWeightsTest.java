package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TensorFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights to cuDNN's layout and gradients from it, emulated, against the layouts' definitions. */
class CudnnWeightsTest extends OnEmulatedCard {

  CudnnWeightsTest() {
    super(11);
  }

  @ParameterizedTest
  @CsvSource({
    "BFLOAT16, 3, 128, 160",
    "BFLOAT16, 1, 150, 33",
    "BFLOAT16, 3, 1, 2",
    "TFLOAT32, 3, 96, 130",
    "TFLOAT32, 1, 7, 128",
  })
  void changeLayouts(Precision precision, int kernel, int inner, int outer) {
    try (CudaWeightCache cache = new CudaWeightCache(driver);
        CudaContext context = new CudaContext(driver, cache, precision)) {
      int innerPadded = (int) CudaDevice.paddedChannels(inner);
      int outerPadded = (int) CudaDevice.paddedChannels(outer);
      Tensor w = tensors.randomFloats(1, kernel, kernel, inner, outer);
      double[] weights = tensors.values(w);
      long address = CudnnConvolution.packed(context, w, innerPadded, outerPadded);
      int taps = kernel * kernel;
      ElementType type =
          precision == Precision.BFLOAT16 ? ElementType.BFLOAT16 : ElementType.FLOAT32;
      long[] shape = {outerPadded, taps, innerPadded};
      double[] packed =
          tensors.stored(new Tensor(address, shape, new TensorFormat(type, innerPadded)));
      Tensor dw = tensors.randomFloats(1, kernel, kernel, inner, outer);
      double[] before = tensors.values(dw);
      CudnnConvolution.addingGradient(context, address, innerPadded, dw).run();
      double[] after = tensors.values(dw);

      for (int out = 0; out < outerPadded; out++) {
        for (int tap = 0; tap < taps; tap++) {
          for (int in = 0; in < innerPadded; in++) {
            double found = packed[(out * taps + tap) * innerPadded + in];
            if (in >= inner || out >= outer) {
              assertThat(found).isZero();
              continue;
            }
            int at = (tap * inner + in) * outer + out;
            double error = precision == Precision.BFLOAT16 ? Math.abs(weights[at]) / 256 : 0;
            assertThat(Math.abs(found - weights[at])).as("%d", at).isLessThanOrEqualTo(error);
            assertThat(after[at]).isEqualTo((float) (before[at] + found));
          }
        }
      }
    }
  }

  /** One launch packs all weights of a network, which differ in size. */
  @ParameterizedTest
  @CsvSource({"BFLOAT16", "TFLOAT32"})
  void areRefreshedTogether(Precision precision) {
    try (CudaWeightCache cache = new CudaWeightCache(driver);
        CudaContext context = new CudaContext(driver, cache, precision)) {
      List<Tensor> all =
          List.of(tensors.randomFloats(1, 3, 3, 64, 32), tensors.randomFloats(1, 1, 1, 128, 160));
      List<Long> addresses =
          all.stream().map(w -> CudnnConvolution.packed(context, w, w.size(2), w.size(3))).toList();
      for (long address : addresses) {
        driver.fill(address, 0xff, 64 * 32 * 9 * context.elementBytes());
      }
      cache.refresh();
      for (int k = 0; k < all.size(); k++) {
        Tensor w = all.get(k);
        int taps = w.size(0) * w.size(1);
        long[] shape = {w.size(3), taps, w.size(2)};
        ElementType type =
            precision == Precision.BFLOAT16 ? ElementType.BFLOAT16 : ElementType.FLOAT32;
        double[] packed =
            tensors.stored(new Tensor(addresses.get(k), shape, new TensorFormat(type, w.size(2))));
        double[] weights = tensors.values(w);
        for (int i = 0; i < weights.length; i++) {
          int out = i % w.size(3);
          int in = i / w.size(3) % w.size(2);
          int tap = i / w.size(3) / w.size(2);
          double found = packed[(out * taps + tap) * w.size(2) + in];
          assertThat(Math.abs(found - weights[i])).isLessThanOrEqualTo(Math.abs(weights[i]) / 256);
        }
      }
    }
  }
}
