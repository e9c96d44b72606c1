package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_BFLOAT16;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.cuda.cudnn.cudnnTensorStruct;
import org.bytedeco.cuda.global.cudnn;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TensorFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Objects of cuDNN's older interface: what is told it, and that none outlives its plan. */
@SuppressWarnings("deprecation")
class CudnnLegacyDescriptorsTest extends OnEmulatedCard {

  private static final int NOT_SUPPORTED = 3000;

  CudnnLegacyDescriptorsTest() {
    super(13);
  }

  @Test
  void areDestroyedOnceWithThePlan() {
    List<Integer> created = new ArrayList<>();
    List<Integer> destroyed = new ArrayList<>();
    try (CudaWeightCache cache = new CudaWeightCache(driver)) {
      CudaContext context = new CudaContext(driver, cache, Precision.BFLOAT16);
      for (int i = 0; i < 5; i++) {
        CudnnLegacyDescriptors.made(
            context, i, one -> created.add(one) ? 0 : 1, one -> destroyed.add(one) ? 0 : 1);
      }
      assertThat(destroyed).isEmpty();
      context.close();
      context.close();
    }
    assertThat(created).containsExactly(0, 1, 2, 3, 4);
    assertThat(destroyed).containsExactlyInAnyOrderElementsOf(created);
  }

  @Test
  void whatCudnnRefusedIsNotDestroyed() {
    CudnnLibrary.assumeLoads();
    List<String> destroyed = new ArrayList<>();
    try (CudaWeightCache cache = new CudaWeightCache(driver);
        CudaContext context = new CudaContext(driver, cache, Precision.BFLOAT16)) {
      CudnnLegacyDescriptors.made(context, "first", one -> 0, one -> destroyed.add(one) ? 0 : 1);
      assertThatThrownBy(
              () ->
                  CudnnLegacyDescriptors.made(
                      context, "second", one -> NOT_SUPPORTED, one -> destroyed.add(one) ? 0 : 1))
          .isInstanceOf(CudaException.class)
          .hasMessageStartingWith("cuDNN refused: ");
    }
    assertThat(destroyed).containsExactly("first");
  }

  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"BFLOAT16", "TFLOAT32"})
  void tellSizesAndType(Precision precision) {
    CudnnLibrary.assumeLoads();
    boolean isBfloat16 = precision == Precision.BFLOAT16;
    ElementType type = isBfloat16 ? ElementType.BFLOAT16 : ElementType.FLOAT32;
    Tensor x = new Tensor(0, new long[] {4, 16, 12, 130}, new TensorFormat(type, 144));
    Tensor w = tensors.randomFloats(1, 3, 3, 130, 150);
    Tensor y = new Tensor(0, new long[] {4, 8, 6, 150}, new TensorFormat(type, 160));
    try (CudaWeightCache cache = new CudaWeightCache(driver);
        CudaContext context = new CudaContext(driver, cache, precision)) {
      CudnnLegacyDescriptors told = new CudnnLegacyDescriptors(context, x, w, y, 2, 1);
      int cudnnType = isBfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
      assertThat(read(told.x())).containsExactly(cudnnType, 4, 144, 16, 12);
      assertThat(read(told.y())).containsExactly(cudnnType, 4, 160, 8, 6);
      assertThat(read(told.bias())).containsExactly(cudnnType, 1, 160, 1, 1);
      int[][] sizes = new int[4][1];
      CudnnDescriptor.check(
          cudnn.cudnnGetConvolution2dForwardOutputDim(
              told.convolution(), told.x(), told.filter(), sizes[0], sizes[1], sizes[2], sizes[3]));
      assertThat(IntStream.range(0, 4).map(i -> sizes[i][0])).containsExactly(4, 160, 8, 6);
    }
  }

  /** Type, N, C, H and W. */
  private static int[] read(cudnnTensorStruct descriptor) {
    int[][] values = new int[9][1];
    CudnnDescriptor.check(
        cudnn.cudnnGetTensor4dDescriptor(
            descriptor,
            values[0],
            values[1],
            values[2],
            values[3],
            values[4],
            values[5],
            values[6],
            values[7],
            values[8]));
    return IntStream.range(0, 5).map(i -> values[i][0]).toArray();
  }
}
