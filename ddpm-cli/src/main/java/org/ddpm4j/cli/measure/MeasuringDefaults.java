package org.ddpm4j.cli.measure;

/** The defaults of the commands that measure, as the user would type them. */
final class MeasuringDefaults {

  static final String EVALUATED_IMAGES = "64";
  static final String EVALUATED_TIMESTEPS = "100";

  static final String COMPARED_IMAGES = "1000";
  static final String COMPARED_SAMPLES = "500";
  static final String NEAREST_IMAGES = "200";

  static final String BENCH_MODEL = "annotated";
  static final String BENCH_BATCH_SIZE = "128";
  static final String BENCH_SECONDS = "24";

  private MeasuringDefaults() {}
}
