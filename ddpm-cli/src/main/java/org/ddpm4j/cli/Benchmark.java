package org.ddpm4j.cli;

import java.util.SplittableRandom;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.training.AdamW;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.kernels.PlanProfile;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.LossFunction;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A network and a batch of noise that it works on again and again. */
final class Benchmark implements AutoCloseable {

  /** What a round is. */
  enum Task {
    /** A step of training: the gradient and AdamW's update. */
    TRAIN,
    /** The network's estimate of the noise, of which a step of sampling mostly consists. */
    SAMPLE
  }

  private static final int TIMESTEPS = 1000;

  private final Task task;
  private final Unet unet;
  private final Parameters gradient;
  private final AdamW optimizer;
  private final INDArray x;
  private final INDArray target;
  private final INDArray trainingTimesteps;
  private long rounds;

  Benchmark(Task task, BenchModel model, int batchSize, Execution execution) {
    this.task = task;
    this.unet = Unet.create(model.config(), DataType.FLOAT, 0, execution);
    boolean trains = task == Task.TRAIN;
    this.gradient = trains ? unet.parameters().zerosLike() : null;
    this.optimizer = trains ? AdamW.of(AdamWConfig.defaults(), unet) : null;
    ImageShape shape = model.shape();
    long[] batch = {batchSize, shape.channels(), shape.height(), shape.width()};
    NoiseSource noise = NoiseSource.seeded(0, 0);
    this.x = noise.gaussian(0, batch);
    this.target = noise.gaussian(1, batch);
    this.trainingTimesteps =
        Nd4j.createFromArray(new SplittableRandom(0).ints(batchSize, 0, TIMESTEPS).toArray());
  }

  Unet unet() {
    return unet;
  }

  /** Does the work once, while each operation is measured, and returns the seconds that it took. */
  double round(PlanProfile profile) {
    unet.startProfile(profile);
    try {
      return round();
    } finally {
      unet.stopProfile();
    }
  }

  /** Does the work once and returns the seconds that it took. */
  double round() {
    long start = System.nanoTime();
    switch (task) {
      case TRAIN -> {
        unet.lossAndGradient(LossFunction.L2, x, trainingTimesteps, target, gradient);
        optimizer.update(unet.parameters(), gradient, rounds, 1);
      }
      case SAMPLE -> {
        // All images are at the same timestep, and each round is at another one, as in sampling.
        long t = TIMESTEPS - 1 - rounds % TIMESTEPS;
        unet.predict(x, Nd4j.valueArrayOf(x.size(0), (double) t).castTo(DataType.FLOAT));
      }
    }
    rounds++;
    return (System.nanoTime() - start) / 1e9;
  }

  @Override
  public void close() {
    if (optimizer != null) {
      optimizer.close();
    }
    unet.close();
  }
}
