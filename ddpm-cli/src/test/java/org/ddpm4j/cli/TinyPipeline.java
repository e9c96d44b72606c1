package org.ddpm4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.Unet2D;
import org.nd4j.linalg.api.buffer.DataType;

/** A pipeline of random weights that draws grey images of 8x8 by DDIM. */
final class TinyPipeline {

  private TinyPipeline() {}

  static void write(Path folder) throws IOException {
    Unet2D.Level level = new Unet2D.Level(8, Unet2D.Block.PLAIN, Unet2D.Block.PLAIN);
    Unet2D network =
        Unet2D.of(1, List.of(level, level), 2).withSampleSize(new Unet2D.ImageSize(8, 8));
    DiffusersScheduler scheduler =
        new DiffusersScheduler(
            LinearSchedule.paper(),
            1000,
            Parameterization.EPSILON,
            SamplerConfig.of(SamplerType.DDIM),
            X0Clipping.UNIT);
    try (Unet unet = Unet.create(network, DataType.FLOAT, 3)) {
      PipelineFolder.write(folder, new DiffusersPipeline(unet, scheduler, List.of()));
    }
  }
}
