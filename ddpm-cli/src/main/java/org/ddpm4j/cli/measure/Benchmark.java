package org.ddpm4j.cli.measure;

import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.diffusion.training.AdamW;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.kernels.cpu.SingleExecution;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.PlanProfile;
import org.ddpm4j.kernels.plan.TrainingProgram;
import org.ddpm4j.kernels.plan.TrainingRequest;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.unet.DeviceTraining;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.model.UnetConfig;
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
  private static final double MAX_GRADIENT_NORM = 1;
  private static final double LEARNING_RATE = 1e-4;
  private static final double EMA_DECAY = 0.999;

  private final Task task;
  private final Unet unet;
  private final Parameters gradient;
  private final AdamW optimizer;
  private final INDArray x;
  private final INDArray target;

  /** With labels of one class, where the network knows classes. */
  private final UnetInput trainingInput;

  private final DeviceTraining training;
  private final DeviceBatch deviceBatch;
  private long rounds;

  /**
   * Begins with the first weights of a network.
   *
   * @param shape of what goes into the network
   */
  Benchmark(Task task, UnetConfig config, ImageShape shape, int batchSize, Execution execution) {
    this.task = task;
    this.unet = Unet.create(config, DataType.FLOAT, 0, execution);
    boolean trains = task == Task.TRAIN;
    this.gradient = trains ? unet.parameters().zerosLike() : null;
    // A device's step predicts as many channels as it makes noisy.
    boolean inSteps = trains && config.outChannels() == shape.channels();
    this.training = inSteps ? BadInputException.check(() -> training(unet, shape)) : null;
    this.optimizer = trains && training == null ? AdamW.of(AdamWConfig.defaults(), unet) : null;
    long[] batch = {batchSize, shape.channels(), shape.height(), shape.width()};
    NoiseSource noise = NoiseSource.seeded(0, 0);
    this.x = noise.gaussian(0, batch);
    this.target = noise.gaussian(1, batchSize, config.outChannels(), shape.height(), shape.width());
    INDArray labels = config.classEmbeddings() > 0 ? Nd4j.zeros(DataType.INT32, batchSize) : null;
    int[] timesteps = new SplittableRandom(0).ints(batchSize, 0, TIMESTEPS).toArray();
    this.trainingInput = new UnetInput(x, Nd4j.createFromArray(timesteps), labels);
    this.deviceBatch = DeviceBatch.of(trainingInput);
  }

  /** Whole steps on a device, where the network's device can do them. */
  private static DeviceTraining training(Unet unet, ImageShape shape) {
    AdamWConfig adamW = AdamWConfig.defaults();
    DeviceTraining training =
        unet.trainingOnDevice(
                LossFunction.L2,
                shape.height(),
                shape.width(),
                new TrainingRequest.Optimizer(
                    adamW.beta1(), adamW.beta2(), adamW.epsilon(), MAX_GRADIENT_NORM),
                0,
                List.of())
            .orElse(null);
    if (training != null) {
      Parameters zeros = unet.parameters().zerosLike();
      training.begin(unet.parameters(), zeros, zeros, List.of());
    }
    return training;
  }

  /** The devices beside the processor that do the work. */
  List<Device> devices() {
    return training == null ? unet.device().stream().toList() : training.devices();
  }

  Unet unet() {
    return unet;
  }

  /** Does the work once, while each operation is measured, and returns the seconds that it took. */
  double round(PlanProfile profile) {
    unet.startProfile(profile);
    long start = System.nanoTime();
    try {
      if (training != null) {
        // The operations of a recorded step cannot be told apart.
        gradientOnHost();
        return (System.nanoTime() - start) / 1e9;
      }
      return round();
    } finally {
      unet.stopProfile();
    }
  }

  private void gradientOnHost() {
    unet.lossAndGradient(LossFunction.L2, trainingInput, target, null, gradient);
  }

  /** A whole step, of which nothing but the losses comes back. */
  private void stepOnDevice() {
    training.begin(
        new TrainingProgram.Step(
            SingleExecution.buffer(x),
            deviceBatch.timesteps(),
            deviceBatch.labels(),
            deviceBatch.factors(),
            null,
            null,
            null,
            deviceBatch.weights(),
            1,
            new BatchKey(0, Purpose.TRAINING_NOISE.number(), 0, rounds),
            new TrainingProgram.Offset(
                new BatchKey(0, Purpose.OFFSET_NOISE.number(), 0, rounds), 0),
            new BatchKey(0, Purpose.DROPOUT.number(), 0, rounds),
            Optional.of(
                new TrainingProgram.Update(rounds, LEARNING_RATE, 0, EMA_DECAY, List.of()))));
    training.end();
    Reference.reachabilityFence(x);
  }

  /** What a device takes beside images, made once. */
  private record DeviceBatch(float[] timesteps, float[] labels, float[] factors, float[] weights) {

    /** All images weigh the same and are half image, half noise, which is to be predicted. */
    static DeviceBatch of(UnetInput input) {
      int images = (int) input.t().length();
      float[] weights = new float[images];
      Arrays.fill(weights, 1);
      float half = (float) Math.sqrt(0.5);
      float[] factors = new float[4 * images];
      for (int i = 0; i < images; i++) {
        factors[4 * i] = half;
        factors[4 * i + 1] = half;
        factors[4 * i + 3] = 1;
      }
      float[] labels = input.labels() == null ? null : input.labels().toFloatVector();
      return new DeviceBatch(input.t().toFloatVector(), labels, factors, weights);
    }
  }

  /** Does the work once and returns the seconds that it took. */
  double round() {
    long start = System.nanoTime();
    switch (task) {
      case TRAIN -> {
        if (training != null) {
          stepOnDevice();
        } else {
          gradientOnHost();
          optimizer.update(unet.parameters(), gradient, rounds, 1);
        }
      }
      case SAMPLE -> {
        // All images are at the same timestep, and each round is at another one, as in sampling.
        long t = TIMESTEPS - 1 - rounds % TIMESTEPS;
        INDArray timesteps = Nd4j.valueArrayOf(x.size(0), (double) t).castTo(DataType.FLOAT);
        unet.predict(new UnetInput(x, timesteps, trainingInput.labels()));
      }
    }
    rounds++;
    return (System.nanoTime() - start) / 1e9;
  }

  @Override
  public void close() {
    if (training != null) {
      training.close();
    }
    if (optimizer != null) {
      optimizer.close();
    }
    unet.close();
  }
}
