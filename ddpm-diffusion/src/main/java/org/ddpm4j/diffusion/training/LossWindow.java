package org.ddpm4j.diffusion.training;

/** Sums since the last report. */
final class LossWindow {

  private double loss;
  private double gradientNorm;
  private long steps;

  void add(double stepLoss, double stepGradientNorm) {
    loss += stepLoss;
    gradientNorm += stepGradientNorm;
    steps++;
  }

  double meanLoss() {
    return loss / steps;
  }

  double meanGradientNorm() {
    return gradientNorm / steps;
  }

  void clear() {
    restore(new Checkpoint.Window(0, 0, 0));
  }

  Checkpoint.Window state() {
    return new Checkpoint.Window(loss, gradientNorm, steps);
  }

  void restore(Checkpoint.Window state) {
    loss = state.loss();
    gradientNorm = state.gradientNorm();
    steps = state.steps();
  }
}
