package org.ddpm4j.cli.train;

/**
 * The defaults of {@code train}, as the user would type them. They make a run of a few minutes on
 * two processor cores.
 */
final class TrainingDefaults {

  static final String NETWORK = "annotated";
  static final String TUTORIAL_DIM = "32";
  static final String MINIMAL_DIM = "16";
  static final String UNET2D_DIM = "32";
  static final String DIM = "16";
  static final String DIM_MULTS = "1,2,2";
  static final String BLOCK = "resnet";
  static final String GROUPS = "8";
  static final String ATTENTION = "all";
  static final String ATTENTION_HEADS = "2";
  static final String ATTENTION_HEAD_DIM = "16";
  static final String PATCH_SIZE = "1";
  static final String DROPOUT = "0";

  static final String MINUTES = "9";
  static final String BATCH_SIZE = "32";
  static final String EVALUATED_IMAGES = "500";
  static final String ACCUMULATE = "1";
  static final String BETA1 = "0.9";
  static final String BETA2 = "0.99";
  static final String WARMUP = "100";
  static final String DECAY = "linear";
  static final String PARAMETERIZATION = "x0";
  static final String LOSS = "l2";
  static final String LOSS_TERMS = "simple";
  static final String TIMESTEP_SAMPLING = "uniform";
  static final String DISTILL_SOLVER = "heun";
  static final String OFFSET_NOISE = "0";
  static final String LABEL_DROPOUT = "0.1";
  static final String MAX_GRADIENT_NORM = "1";

  /** Adam's best learning rate falls with a network's width (Yang et al. 2022). */
  private static final double LEARNING_RATE_TIMES_DIM = 0.064;

  /** Of networks whose width says little, or that were tuned so. */
  private static final double OTHER_LEARNING_RATE = 2e-3;

  private TrainingDefaults() {}

  /**
   * The peak learning rate.
   *
   * @param network which
   * @param dim channels of its first level
   */
  static double learningRate(NetworkOptions.Kind network, int dim) {
    return switch (network) {
      case ANNOTATED, UNET2D, DDPM_CIFAR10 -> LEARNING_RATE_TIMES_DIM / dim;
      case TUTORIAL, MINIMAL -> OTHER_LEARNING_RATE;
    };
  }

  /** The moving average is over the last sixteenth of the steps, at most 10,000. */
  static double emaDecay(long steps) {
    return Math.min(Math.max(0.9, 1 - 16.0 / steps), 0.9999);
  }

  /** Noise levels of a distillation (Song et al. 2023, table 3, CIFAR-10). */
  static final int DISTILLED_LEVELS = 18;

  /** Of a distillation, as a share of what a network of its width is usually trained with. */
  static final double DISTILLED_LEARNING_RATE = 0.25;

  /** Some hundred points of the loss curve. */
  static int reportEvery(long steps) {
    return (int) Math.min(Math.max(10, steps / 300), Integer.MAX_VALUE);
  }

  /** A dozen grids of samples, in round numbers. */
  static long sampleEvery(long steps) {
    return Math.max(250, (steps / 12 + 49) / 50 * 50);
  }
}
