package org.ddpm4j.spark.sampling;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.nd4j.linalg.api.buffer.DataType;

/** An untrained network of 28x28 pixels and two classes, quick to ask. */
public final class TinyModel {

  private TinyModel() {}

  /** Writes it as the folder of a run. */
  public static Path write(Path folder) throws IOException {
    AnnotatedUnet network =
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4).withAttention(1, 8).withClassEmbeddings(2);
    ModelDescription model =
        new ModelDescription(
            network,
            Parameterization.EPSILON,
            ScheduleConfig.of(ScheduleType.LINEAR, 100),
            new ImageShape(1, 28, 28),
            Normalization.SYMMETRIC,
            List.of("one", "other"),
            OptionalInt.empty());
    try (Unet unet = Unet.create(network, DataType.FLOAT, 3)) {
      RunFolder.create(
          folder, RunConfig.untrained(null, model, DataDescription.unseen("tiny", null)), unet);
    }
    return folder;
  }
}
