package org.ddpm4j.cli;

import org.ddpm4j.diffusion.model.DiffusionModel;

/**
 * Every default of the command line, once, as the user would type it. Those of {@code train} make a
 * run of a few minutes on two processor cores.
 */
final class Defaults {

  static final String DATA_SET = "fashion-mnist";
  static final String FOLDER_IMAGE_SIZE = "32";
  static final String NORMALIZATION = "symmetric";
  static final String CORRUPT = "refuse";
  static final String DATA_PICTURE = "data.png";

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

  static final String SCHEDULE = "linear";
  static final String TIMESTEPS = "1000";
  static final String DATA_MAX = "1";

  static final String STEPS = "1500";
  static final String BATCH_SIZE = "64";
  static final String ACCUMULATE = "1";
  static final String LEARNING_RATE = "2e-3";
  static final String BETA1 = "0.9";
  static final String BETA2 = "0.99";
  static final String WARMUP = "100";
  static final String DECAY = "linear";
  static final String PARAMETERIZATION = "epsilon";
  static final String LOSS = "l2";
  static final String WEIGHTING = "uniform";
  static final String LOSS_TERMS = "simple";
  static final String TIMESTEP_SAMPLING = "uniform";
  static final String LABEL_DROPOUT = "0.1";
  static final String EMA_DECAY = "0.995";
  static final String MAX_GRADIENT_NORM = "1";
  static final String SEED = "0";
  static final String TIME_LIMIT = "9";
  static final String REPORT_EVERY = "10";
  static final String CHECKPOINT_EVERY = "250";
  static final String SAMPLE_EVERY = "250";
  static final String VALIDATION_IMAGES = "64";

  static final String SAMPLE_STEPS = "" + DiffusionModel.DEFAULT_STEPS;
  static final String SAMPLE_COUNT = "64";
  static final String SAMPLE_BATCH_SIZE = "64";
  static final String SAMPLE_SCALE = "2";
  static final String SAMPLER = "ddpm";
  static final String DYNAMIC_THRESHOLD = "0.995";
  static final String VARIANCE = "posterior";
  static final String CLIP = "range";
  static final String WEIGHTS = "ema";
  static final String ANIMATED = "x0";

  static final String EDITED_IMAGE = "0";
  static final String EDITING_SCALE = "3";
  static final String INPAINTED_IMAGES = "0,1,5";
  static final String INPAINT_COUNT = "5";
  static final String MASK_BOX = "center";
  static final String JUMP_LENGTH = "5";
  static final String RESAMPLINGS = "5";
  static final String STRENGTHS = "0.2,0.4,0.6,0.8";
  static final String IMAGE_TO_IMAGE_COUNT = "3";
  static final String INTERPOLATED_FROM = "4";
  static final String INTERPOLATED_TO = "1";
  static final String POINTS = "9";
  static final String MIXING_STRENGTH = "0.35";
  static final String INVERTED_IMAGES = "0,1,2,3,4,5,6,7";
  static final String INVERSION_STEPS = "10,25,50,100";
  static final String ITERATIONS = "1";

  static final String EVALUATED_IMAGES = "64";
  static final String EVALUATED_TIMESTEPS = "100";

  static final String DEVICE = "auto";
  static final String LAYERS = "auto";
  static final String PRECISION = "float32";

  static final String BENCH_MODEL = "annotated";
  static final String BENCH_BATCH_SIZE = "128";
  static final String BENCH_SECONDS = "24";

  private Defaults() {}
}
