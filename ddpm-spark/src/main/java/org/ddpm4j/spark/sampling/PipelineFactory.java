package org.ddpm4j.spark.sampling;

import java.io.Serializable;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;

/**
 * How a model draws: sampler, steps, guidance, classes. A lambda such as {@code model ->
 * model.pipeline(SamplerType.DDIM, 50)}, which travels to the executors and must say the same
 * everywhere.
 */
@FunctionalInterface
public interface PipelineFactory extends Serializable {

  /**
   * Makes the pipeline.
   *
   * @param model as it was packed
   * @return the pipeline
   */
  DiffusionPipeline create(DiffusionModel model);
}
