import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.objective.LossWeighting;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.BatchSource;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.ViewIterator;
import org.nd4j.linalg.factory.Nd4j;

/** Learns to draw discs. */
public class Discs {

  public static void main(String[] args) throws IOException {
    // Images are [N,C,H,W] in [-1,1]; any DataSetIterator of such will do.
    INDArray discs = Nd4j.valueArrayOf(new long[] {512, 1, 16, 16}, -1.0, DataType.FLOAT);
    Random random = new Random(1);
    for (int n = 0; n < 512; n++) {
      double row = 5 + 6 * random.nextDouble();
      double column = 5 + 6 * random.nextDouble();
      double radius = 2.5 + 2 * random.nextDouble();
      for (int i = 0; i < 256; i++) {
        double edge = radius - Math.hypot(i / 16 - row, i % 16 - column);
        discs.putScalar(n, 0, i / 16, i % 16, Math.max(-1, Math.min(1, 2 * edge)));
      }
    }
    ViewIterator data = new ViewIterator(new DataSet(discs, Nd4j.zeros(512, 1)), 32);

    // Train.
    NoiseSchedule schedule = NoiseSchedule.of(CosineSchedule.paper(), 200);
    Unet unet =
        Unet.create(
            AnnotatedUnet.resnet(16, 1, List.of(1, 2), 4).withAttention(2, 8), DataType.FLOAT, 0);
    ObjectiveConfig objective =
        ObjectiveConfig.simple()
            .withParameterization(Parameterization.X0)
            .withWeighting(new LossWeighting.MinSnr(5));
    TrainingConfig config =
        TrainingConfig.defaults(Integer.getInteger("discs.steps", 400))
            .withObjective(objective)
            .withOptimizer(AdamWConfig.defaults().withLearningRate(3e-3));
    try (unet;
        Trainer trainer = new Trainer(unet, schedule, config, BatchSource.of(data))) {
      trainer.fit();

      // Sample.
      ImageShape shape = new ImageShape(1, 16, 16);
      DiffusionModel model =
          DiffusionModel.of(
              trainer.emaUnet(), Parameterization.X0, schedule, shape, Normalization.SYMMETRIC);
      INDArray images = model.pipeline().sample(16, 7);
      Images.writePng(Images.grid(images, 8, 4), Path.of("discs.png"));
    }
  }
}
