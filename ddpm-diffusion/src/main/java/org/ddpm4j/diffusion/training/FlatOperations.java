package org.ddpm4j.diffusion.training;

import org.ddpm4j.kernels.cpu.Workers;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an optimiser does to flat buffers, each operation a pass over all elements. */
interface FlatOperations extends AutoCloseable {

  /** Those that go with the way in which a network computes. */
  static FlatOperations of(Unet unet) {
    return unet.execution().isFused(unet.dataType())
        ? new FusedFlatOperations(new Workers(unet.execution().threads()))
        : new Nd4jFlatOperations();
  }

  /** The Euclidean norm. */
  double norm(INDArray x);

  /** {@code x = factor·x}. */
  void scale(INDArray x, double factor);

  /** {@code y = y + x}. */
  void add(INDArray y, INDArray x);

  /** {@code y = decay·y + (1 - decay)·x}. */
  void average(INDArray y, double decay, INDArray x);

  /**
   * The moments of Adam and the direction of its step: {@code m} and {@code v} are updated with the
   * gradient {@code g}, which becomes {@code m/(√(v/correction2) + ε)}.
   *
   * @return the Euclidean norm of the direction
   */
  double adamDirection(INDArray g, INDArray m, INDArray v, AdamWConfig config, double correction2);

  /** {@code w = shrink·w - rate·direction}. */
  void step(INDArray w, double shrink, double rate, INDArray direction);

  /** Ends the threads, if there are any. */
  @Override
  default void close() {}
}
