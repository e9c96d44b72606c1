package org.ddpm4j.diffusion.run;

/** Which weights of a checkpoint. */
public enum TrainedWeights {
  /** The moving average. */
  EMA,
  /** As they were after the last step. */
  MODEL
}
