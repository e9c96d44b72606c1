package org.ddpm4j.diffusion.arithmetic;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The operations of {@link BatchArithmetic}, which says what they are. */
interface BatchOperations {

  INDArray combine(double[] factors, INDArray... terms);

  INDArray combinePerImage(double[] a, INDArray x, double[] b, INDArray y);

  INDArray towards(INDArray from, INDArray to, double factor);

  void addScaled(INDArray x, double factor, INDArray y);

  void scalePerImage(INDArray x, double... factors);

  double[] standardDeviations(INDArray x);

  INDArray clip(INDArray x, double min, double max);

  INDArray twice(INDArray x);

  boolean isFinite(INDArray x);
}
