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
  static final String DIM = "24";
  static final String DIM_MULTS = "1,2,4";
  static final String BLOCK = "resnet";
  static final String GROUPS = "8";
  static final String ATTENTION_HEADS = "2";
  static final String ATTENTION_HEAD_DIM = "16";

  static final String STEPS = "1500";
  static final String BATCH_SIZE = "64";
  static final String ACCUMULATE = "1";
  static final String LEARNING_RATE = "2e-3";
  static final String BETA1 = "0.9";
  static final String BETA2 = "0.99";
  static final String WARMUP = "100";
  static final String DECAY = "linear";
  static final String LOSS = "l2";
  static final String WEIGHTING = "uniform";
  static final String LOSS_TERMS = "simple";
  static final String TIMESTEP_SAMPLING = "uniform";
  static final String LABEL_DROPOUT = "0.1";
  static final String EMA_DECAY = "0.995";
  static final String MAX_GRADIENT_NORM = "1";
  static final String TIME_LIMIT = "9";
  static final String REPORT_EVERY = "10";
  static final String CHECKPOINT_EVERY = "250";
  static final String SAMPLE_EVERY = "250";
  static final String VALIDATION_IMAGES = "64";

  private TrainingDefaults() {}
}
