package org.ddpm4j.diffusion.training;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** By ND4J, on any backend. Takes no memory of its own, which would be slow to come back. */
final class Nd4jFlatOperations implements FlatOperations {

  @Override
  public double norm(INDArray x) {
    return x.norm2Number().doubleValue();
  }

  @Override
  public void scale(INDArray x, double factor) {
    x.muli(factor);
  }

  @Override
  public void add(INDArray y, INDArray x) {
    y.addi(x);
  }

  @Override
  public void average(INDArray y, double decay, INDArray x) {
    y.muli(decay);
    addScaled(y, 1 - decay, x);
  }

  @Override
  public double adamDirection(
      INDArray g, INDArray m, INDArray v, AdamWConfig config, double correction2) {
    average(m, config.beta1(), g);
    average(v, config.beta2(), g.muli(g));
    g.assign(v);
    Transforms.sqrt(g, false).muli(1 / Math.sqrt(correction2)).addi(config.epsilon());
    g.rdivi(m);
    return norm(g);
  }

  @Override
  public void step(INDArray w, double shrink, double rate, INDArray direction) {
    w.muli(shrink);
    addScaled(w, -rate, direction);
  }

  /** {@code y += factor·x}. */
  private static void addScaled(INDArray y, double factor, INDArray x) {
    Nd4j.getBlasWrapper().level1().axpy(x.length(), factor, x, y);
  }
}
