package org.ddpm4j.evaluation;

import java.util.List;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.training.AdamW;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.BatchSource;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Trains the small classifier whose features {@link ClassifierFeatures} gives: cross-entropy with
 * AdamW and a cosine of the learning rate; what is kept is the moving average of the weights.
 *
 * @param steps of training, at least 1
 * @param optimizer AdamW's constants
 * @param emaDecay of the moving average, in [0,1)
 * @param labelSmoothing how much of the probability is shared out to all classes, in [0,1) (Szegedy
 *     et al. 2016, section 7)
 * @param seed of the initial weights
 */
public record ClassifierTraining(
    long steps, AdamWConfig optimizer, double emaDecay, double labelSmoothing, long seed) {

  private static final double WARM_UP = 0.05;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public ClassifierTraining {
    if (steps < 1
        || !(emaDecay >= 0 && emaDecay < 1)
        || !(labelSmoothing >= 0 && labelSmoothing < 1)) {
      throw new IllegalArgumentException(
          Text.format(
              "A training of %d step(s), moving average %s and label smoothing %s is not possible; expected at least 1 step, and the others in [0,1).",
              steps, emaDecay, labelSmoothing));
    }
  }

  /**
   * What the bundled classifier was trained with.
   *
   * @param steps of training
   * @return learning rate 4e-3, weight decay 0.05, moving average 0.995, label smoothing 0.05
   */
  public static ClassifierTraining defaults(long steps) {
    return new ClassifierTraining(
        steps, new AdamWConfig(4e-3, 0.9, 0.99, 1e-8, 0.05), 0.995, 0.05, 1);
  }

  /** Is told of the progress of training. */
  @FunctionalInterface
  public interface Listener {

    /**
     * After a step.
     *
     * @param step zero-based
     * @param loss the mean cross-entropy of its batch, in nats
     */
    void stepDone(long step, double loss);
  }

  /**
   * Trains.
   *
   * @param name of the classifier, see {@link FeatureExtractor#name}
   * @param classNames of the K classes
   * @param shape what it sees: 1 or 3 channels, square, and of a size that 4 divides; images of the
   *     batches are brought to it
   * @param batches images with one-hot labels {@code [N,K]}
   * @param normalization the scale of their images
   * @param execution how to compute
   * @param listener told after each step
   * @return the classifier
   * @throws IllegalArgumentException if there is no classifier of such images or classes
   */
  public ClassifierFeatures train(
      String name,
      List<String> classNames,
      ImageShape shape,
      BatchSource batches,
      Normalization normalization,
      Execution execution,
      Listener listener) {
    FeatureClassifier config =
        new FeatureClassifier(classNames.size(), shape.channels(), shape.height());
    config.checkImageSize(shape.height(), shape.width());
    Unet network = Unet.create(config, DataType.FLOAT, seed, execution);
    LearningRateSchedule schedule =
        new LearningRateSchedule(Math.round(WARM_UP * steps), LearningRateSchedule.Decay.COSINE);
    Parameters gradient = network.parameters().zerosLike();
    Parameters average = network.parameters().zerosLike();
    average.assign(network.parameters());
    try (AdamW adam = AdamW.of(optimizer, network)) {
      for (long step = 0; step < steps; step++) {
        DataSet batch = batches.batch(step);
        INDArray pixels = Pixels.of(batch.getFeatures(), normalization);
        double loss = lossAndGradient(network, pixels, batch.getLabels(), gradient);
        adam.update(network.parameters(), gradient, step, schedule.factor(step, steps));
        // At first the average is over as many weights as there have been.
        double decay = Math.min(emaDecay, (step + 1.0) / (step + 10.0));
        average.flat().muli(decay).addi(network.parameters().flat().mul(1 - decay));
        listener.stepDone(step, loss);
      }
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
    network.parameters().assign(average);
    return new ClassifierFeatures(name, classNames, network);
  }

  /**
   * The gradient of the mean cross-entropy. The derivative by the logits is the difference of
   * probabilities and labels (Bishop 2006, eq. 4.109); with it as the cotangent, the network gives
   * the gradient by the weights.
   */
  double lossAndGradient(Unet network, INDArray pixels, INDArray labels, Parameters gradient) {
    UnetInput input = ClassifierFeatures.input(((FeatureClassifier) network.config()).fit(pixels));
    int images = (int) labels.size(0);
    int classes = (int) labels.size(1);
    int width = FeatureClassifier.FEATURES + classes;
    double[] output = network.predict(input).dup('c').data().asDouble();
    double[] cotangent = new double[output.length];
    double loss = 0;
    for (int n = 0; n < images; n++) {
      int first = n * width + FeatureClassifier.FEATURES;
      double[] probabilities = Softmax.of(output, first, classes);
      for (int k = 0; k < classes; k++) {
        double wanted = labels.getDouble(n, k) * (1 - labelSmoothing) + labelSmoothing / classes;
        cotangent[first + k] = (probabilities[k] - wanted) / images;
        loss -= wanted * Math.log(Math.max(probabilities[k], Double.MIN_NORMAL)) / images;
      }
    }
    network.vectorJacobianProduct(
        input,
        Nd4j.create(cotangent, new long[] {images, width, 1, 1}, 'c').castTo(network.dataType()),
        gradient);
    return loss;
  }
}
