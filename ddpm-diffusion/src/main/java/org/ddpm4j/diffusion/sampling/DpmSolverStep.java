package org.ddpm4j.diffusion.sampling;

import java.util.Arrays;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Equation;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Prediction;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A step of DPM-Solver++ or DPM-Solver, once the weights of the estimates are known. */
record DpmSolverStep(Equation equation, Prediction prediction, NoiseStep step) {

  /** z of the integral {@code ∫ |z| e^{z(1-s)} P(s) ds} over the step, s from 0 to 1. */
  double exponent() {
    return prediction == Prediction.X0 ? -equation.rate() * step.h() : step.h();
  }

  /**
   * For x0, {@code x' = (σ'/σ) e^{h+z} x + α' ∫ |z| e^{z(1-s)} x0(s) ds}; for ε, {@code x' = (α'/α)
   * x - σ' rate ∫ h e^{h(1-s)} ε(s) ds} (Lu et al. 2022a, eq. 3.4).
   */
  INDArray apply(INDArray x, History history, double... weights) {
    if (prediction == Prediction.EPS) {
      return history.combine(
          step.to().alpha() / step.from().alpha(),
          x,
          -equation.rate() * step.to().sigma(),
          weights);
    }
    double kept = step.to().sigma() / step.from().sigma();
    if (equation == Equation.SDE) {
      kept *= Math.exp(-step.h());
    }
    return history.combine(kept, x, step.to().alpha(), weights);
  }

  /** Of the noise that is added at the end of the step; 0 for the probability flow. */
  double deviation() {
    if (equation == Equation.ODE) {
      return 0;
    }
    double h = prediction == Prediction.X0 ? -step.h() : step.h();
    return step.to().sigma() * Math.sqrt(Math.abs(Math.expm1(2 * h)));
  }

  /** The integral of a constant. */
  static double gain(double z) {
    return Math.abs(Math.expm1(z));
  }

  /** The polynomial through two nodes, taken at the middle of the step. */
  static double[] midpoint(double z, double... nodes) {
    double share = (0.5 - nodes[1]) / (nodes[0] - nodes[1]);
    return new double[] {gain(z) * share, gain(z) * (1 - share)};
  }

  /** The polynomial through all nodes, integrated. */
  static double[] integrated(double z, double... nodes) {
    return Arrays.stream(ExponentialQuadrature.weights(z, nodes))
        .map(weight -> Math.abs(z) * weight)
        .toArray();
  }

  /** The factor of the value at node k in the divided difference of all. */
  static double dividedDifference(double[] nodes, int k) {
    double product = 1;
    for (int i = 0; i < nodes.length; i++) {
      product *= i == k ? 1 : nodes[k] - nodes[i];
    }
    return 1 / product;
  }
}
