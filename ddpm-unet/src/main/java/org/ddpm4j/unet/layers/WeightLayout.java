package org.ddpm4j.unet.layers;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How the axes of a weight lie here and in PyTorch. Our layouts are SameDiff's for channels-last
 * features.
 */
public enum WeightLayout {
  /** Biases and scales: {@code [C]} in both. */
  VECTOR(0),
  /** Gains of a normalisation over channels: {@code [C]} here, {@code [1,C,1,1]} in PyTorch. */
  GAIN(0) {
    @Override
    public INDArray toPyTorch(INDArray weight) {
      return weight.reshape('c', 1, weight.length(), 1, 1);
    }

    @Override
    public long[] toPyTorch(long... shape) {
      return new long[] {1, shape[0], 1, 1};
    }
  },
  /**
   * Keys and values that attention has learned: {@code [M,2,heads,d]} here, {@code [2,heads,M,d]}
   * in PyTorch.
   */
  MEMORY(1, 2, 0, 3),
  /** The same for linear attention: {@code [2,heads,d,M]} in PyTorch. */
  TRANSPOSED_MEMORY(1, 2, 3, 0),
  /** Fully connected: {@code [in,out]} here, {@code [out,in]} in PyTorch. */
  LINEAR(1, 0),
  /** A row for each class or token: {@code [count,width]} in both. */
  EMBEDDING(0, 1),
  /** Convolution: {@code [kH,kW,iC,oC]} here, {@code [oC,iC,kH,kW]} in PyTorch. */
  CONVOLUTION(3, 2, 0, 1),
  /** Transposed convolution: {@code [kH,kW,oC,iC]} here, {@code [iC,oC,kH,kW]} in PyTorch. */
  TRANSPOSED_CONVOLUTION(3, 2, 0, 1),
  /** Depthwise convolution: {@code [kH,kW,C,1]} here, {@code [C,1,kH,kW]} in PyTorch. */
  DEPTHWISE_CONVOLUTION(2, 3, 0, 1),
  /**
   * Convolution of kernel 1 on one position, which is fully connected: {@code [in,out]} here,
   * {@code [out,in,1,1]} in PyTorch.
   */
  POINTWISE(1, 0, 2, 3) {
    @Override
    public int rank() {
      return 2;
    }

    @Override
    public INDArray toPyTorch(INDArray weight) {
      return super.toPyTorch(weight.reshape('c', weight.size(0), weight.size(1), 1, 1));
    }

    @Override
    public long[] toPyTorch(long... shape) {
      return super.toPyTorch(shape[0], shape[1], 1, 1);
    }
  },
  /**
   * Fully connected at every position, which is a convolution of kernel 1: {@code [1,1,in,out]}
   * here, {@code [out,in]} in PyTorch.
   */
  POSITIONWISE(1, 0) {
    @Override
    public int rank() {
      return 4;
    }

    @Override
    public INDArray toPyTorch(INDArray weight) {
      return super.toPyTorch(weight.reshape('c', weight.size(2), weight.size(3)));
    }

    @Override
    public long[] toPyTorch(long... shape) {
      return super.toPyTorch(shape[2], shape[3]);
    }
  };

  private final int[] toPyTorch;

  WeightLayout(int... toPyTorch) {
    this.toPyTorch = toPyTorch;
  }

  /**
   * A weight as PyTorch lays it out.
   *
   * @param weight in our layout
   * @return a view in PyTorch's layout
   */
  public INDArray toPyTorch(INDArray weight) {
    return toPyTorch.length == 1 ? weight : weight.permute(toPyTorch);
  }

  /**
   * A shape as PyTorch gives it.
   *
   * @param shape in our layout
   * @return the shape in PyTorch's layout
   */
  public long[] toPyTorch(long... shape) {
    long[] permuted = new long[shape.length];
    for (int i = 0; i < shape.length; i++) {
      permuted[i] = shape[toPyTorch[i]];
    }
    return permuted;
  }

  /** {@return the number of axes of such a weight, 1, 2 or 4} */
  public int rank() {
    return toPyTorch.length;
  }
}
