package org.ddpm4j.diffusion.diffusers;

import java.util.List;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.Unet2D;
import org.nd4j.linalg.api.buffer.DataType;

/** A pipeline of random weights that draws grey images of 8x4. */
public final class TinyPipeline {

  private TinyPipeline() {}

  /** Its network. */
  public static Unet2D network() {
    Unet2D.Level level = new Unet2D.Level(8, Unet2D.Block.PLAIN, Unet2D.Block.PLAIN);
    return Unet2D.of(1, List.of(level, level), 2).withSampleSize(new Unet2D.ImageSize(8, 4));
  }

  static DiffusersScheduler scheduler(SamplerType type) {
    return new DiffusersScheduler(
        LinearSchedule.paper(),
        1000,
        Parameterization.EPSILON,
        SamplerConfig.of(type),
        X0Clipping.NONE);
  }

  static DiffusersPipeline of(Unet2D network, SamplerType type, String... classes) {
    return new DiffusersPipeline(
        Unet.create(network, DataType.FLOAT, 3), scheduler(type), List.of(classes));
  }
}
