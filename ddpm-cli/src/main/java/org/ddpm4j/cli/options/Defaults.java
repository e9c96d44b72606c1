package org.ddpm4j.cli.options;

import org.ddpm4j.diffusion.model.DefaultSampler;

/**
 * Defaults of the command line, each once, as the user would type it: those of options that several
 * commands have. Packages of commands keep their own.
 */
public final class Defaults {

  static final String DATA_SET = "fashion-mnist";
  static final String FOLDER_IMAGE_SIZE = "32";
  static final String NORMALIZATION = "symmetric";
  static final String CORRUPT = "refuse";

  static final String TIMESTEPS = "1000";

  static final String SAMPLER = "dpm++";
  static final String DYNAMIC_THRESHOLD = "0.995";
  static final String VARIANCE = "posterior";
  static final String CLIP = "range";
  static final String WEIGHTS = "ema";

  static final String DEVICE = "auto";
  static final String LAYERS = "auto";

  /** Type of noise schedule. */
  public static final String SCHEDULE = "linear";

  /** What networks predict. */
  public static final String PARAMETERIZATION = "epsilon";

  /** Of everything random. */
  public static final String SEED = "0";

  /** Denoising steps of the usual sampler. */
  public static final String SAMPLE_STEPS = "" + DefaultSampler.SOLVER_STEPS;

  /** Denoising steps of ddpm, of ddim and of what goes their way. */
  public static final String CHAIN_STEPS = "" + DefaultSampler.STEPS;

  /** Images of a grid. */
  public static final String SAMPLE_COUNT = "64";

  /** Images that are drawn together. */
  public static final String SAMPLE_BATCH_SIZE = "64";

  /** Pixels of a picture for each pixel of an image. */
  public static final String SAMPLE_SCALE = "2";

  private Defaults() {}
}
