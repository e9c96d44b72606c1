package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Parts of a convolution's outputs and the rows of inputs that these need, by the definition. */
class ConvolutionRowsTest {

  private static final int WIDTH = 8;
  private static final int CHANNELS = 2;

  private static CpuTensor maps(long images, long height, long width) {
    return Values.zeros(images, height, width, CHANNELS).toTensor();
  }

  /** The row of a batch's maps that a part begins with. */
  private static int firstRow(CpuTensor all, CpuTensor part) {
    long bytes = part.pointer().address() - all.pointer().address();
    long rowBytes = (long) all.size(2) * all.size(3) * Float.BYTES;
    assertThat(bytes % rowBytes).isZero();
    return Math.toIntExact(bytes / rowBytes);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 0, 0",
    "3, 1, 1, 1",
    "3, 2, 1, 1",
    "3, 2, 0, 1",
    "4, 2, 1, 1",
    "6, 2, 2, 2",
    "7, 1, 3, 3",
    "1, 2, 0, 0"
  })
  void everyOutputHasItsInputs(int kernel, int stride, int padding, int endPadding) {
    ConvolutionGeometry geometry = new ConvolutionGeometry(stride, padding, endPadding);
    CpuTensor w = Values.zeros(kernel, kernel, CHANNELS, CHANNELS).toTensor();
    for (int height : new int[] {7, 8, 13, 16, 17}) {
      for (int images : new int[] {1, 3}) {
        CpuTensor x = maps(images, height, WIDTH);
        CpuTensor y =
            maps(images, geometry.outputSize(height, kernel), geometry.outputSize(WIDTH, kernel));
        CpuTensor residual = maps(images, y.size(1), y.size(2));
        ConvolutionRows all = ConvolutionRows.all(x, y, residual, geometry);
        for (int unit : new int[] {1, 4}) {
          for (int count = 1; count <= 12; count++) {
            List<ConvolutionRows> parts = all.cut(geometry, w, unit, count);
            int next = 0;
            for (ConvolutionRows part : parts) {
              assertThat(firstRow(y, part.y())).isEqualTo(next);
              assertThat(firstRow(residual, part.residual())).isEqualTo(next);
              assertThat(part.residual().shape()).isEqualTo(part.y().shape());
              assertThat(next % y.size(1) % unit).isZero();
              checkInputs(part, x, next / y.size(1), next % y.size(1), kernel, geometry);
              next += part.y().size(1);
            }
            assertThat(next).isEqualTo(images * y.size(1));
          }
        }
      }
    }
  }

  /** Of some rows of an image, begin the first of them. */
  private static void checkInputs(
      ConvolutionRows part,
      CpuTensor x,
      int image,
      int begin,
      int kernel,
      ConvolutionGeometry geometry) {
    int rows = part.y().size(1);
    assertThat(rows).isPositive();
    assertThat(part.above()).isNotNegative();
    assertThat(part.below()).isNotNegative();
    assertThat(geometry.outputSize(x.size(1), kernel)).isGreaterThanOrEqualTo(begin + rows);
    assertThat(part.above() + part.x().size(1) + part.below())
        .isEqualTo((rows - 1) * geometry.stride() + kernel);
    int first = firstRow(x, part.x()) - image * x.size(1);
    for (int r = 0; r < rows; r++) {
      for (int k = 0; k < kernel; k++) {
        int row = (begin + r) * geometry.stride() - geometry.padding() + k;
        int inPart = r * geometry.stride() - part.above() + k;
        if (row >= 0 && row < x.size(1)) {
          assertThat(inPart).isBetween(0, part.x().size(1) - 1);
          assertThat(first + inPart).isEqualTo(row);
        } else {
          assertThat(inPart < 0 || inPart >= part.x().size(1)).isTrue();
        }
      }
    }
  }

  @Test
  void partsAreAsManyAsThereShouldBe() {
    ConvolutionGeometry geometry = ConvolutionGeometry.symmetric(1, 1);
    CpuTensor w = Values.zeros(3, 3, CHANNELS, CHANNELS).toTensor();
    CpuTensor one = maps(1, 16, WIDTH);
    CpuTensor three = maps(3, 16, WIDTH);
    ConvolutionRows ofOne = ConvolutionRows.all(one, one, null, geometry);
    ConvolutionRows ofThree = ConvolutionRows.all(three, three, null, geometry);
    assertThat(ofOne.cut(geometry, w, 1, 5)).hasSize(5);
    assertThat(ofOne.cut(geometry, w, 1, 99)).hasSize(16);
    assertThat(ofOne.cut(geometry, w, 4, 5)).hasSize(4);
    assertThat(ofThree.cut(geometry, w, 1, 2)).hasSize(3);
    assertThat(ofThree.cut(geometry, w, 1, 4)).hasSize(6);
  }

  /** Positions in a row, as transformers have them, are cut where outputs lie over their inputs. */
  @Test
  void mapsOfOneRowAreCutByPositionsForAKernelOfOneAlone() {
    ConvolutionGeometry geometry = ConvolutionGeometry.symmetric(1, 0);
    CpuTensor x = maps(1, 1, 20);
    CpuTensor pointwise = Values.zeros(1, 1, CHANNELS, CHANNELS).toTensor();
    List<ConvolutionRows> parts =
        ConvolutionRows.all(x, x, null, geometry).cut(geometry, pointwise, 1, 3);
    assertThat(parts).extracting(part -> part.y().size(2)).containsExactly(6, 7, 7);
    assertThat(parts).allSatisfy(part -> assertThat(part.x().shape()).isEqualTo(part.y().shape()));
    // Sums of one position alone have other bits.
    assertThat(ConvolutionRows.all(x, x, null, geometry).cut(geometry, pointwise, 1, 19))
        .hasSize(10)
        .allSatisfy(part -> assertThat(part.y().size(2)).isEqualTo(2));
    CpuTensor wide = Values.zeros(1, 3, CHANNELS, CHANNELS).toTensor();
    CpuTensor narrower = maps(1, 1, 18);
    assertThat(ConvolutionRows.all(x, narrower, null, geometry).cut(geometry, wide, 1, 3))
        .hasSize(1);
    ConvolutionGeometry striding = ConvolutionGeometry.symmetric(2, 0);
    CpuTensor tall = maps(1, 2, 20);
    CpuTensor half = maps(1, 1, 10);
    assertThat(ConvolutionRows.all(tall, half, null, striding).cut(striding, pointwise, 1, 3))
        .hasSize(1);
  }
}
