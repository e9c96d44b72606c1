package org.ddpm4j.kernels.plan;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.kernels.random.BatchKey;

/**
 * Whole steps of training on a device: noise, forward pass, gradient, clipping, AdamW and moving
 * average, without the host. One thread at a time may use it.
 */
public interface TrainingProgram extends AutoCloseable {

  /**
   * Takes over a batch and starts its step, which goes on while the caller does something else. At
   * most one step may be under way that has not {@linkplain #end ended}.
   *
   * @param step what to do
   */
  void begin(Step step);

  /**
   * Waits for the step that was begun.
   *
   * @return what came out
   */
  Outcome end();

  @Override
  void close();

  /**
   * A step of training.
   *
   * @param x0 images, {@code [N,C,H,W]}, whose memory the caller keeps until the step has begun
   * @param timesteps of the images, {@code [N]}
   * @param labels of the images, {@code [N]}, or null
   * @param diffusion four factors for each image: x_t is the first times x0 and the second times ε,
   *     the target is the third times x0 and the fourth times ε, unless networks make it
   * @param coefficients of the loss, {@code [N,K]}, or null where it has none
   * @param estimate two factors for each image, where the network is told an estimate of its own in
   *     this step: the first times the noisy image that it is given and the second times what it
   *     answers if it is told nothing, {@code [N,2]}; null where it is told nothing
   * @param target what target networks are asked; null where there are none
   * @param imageWeights what each image counts in the mean, {@code [N]}
   * @param share by which the gradient of the mean is multiplied: 1 where these are all the images
   *     of an update, else their part of them
   * @param noise which noise: ε is a function of it
   * @param offset what moves the noise of all pixels of a channel alike
   * @param dropout which masks; of no matter where the network has no dropout
   * @param update how weights change, or empty if the gradient is kept and that of the next step is
   *     added to it
   */
  record Step(
      FloatBuffer x0,
      float[] timesteps,
      float[] labels,
      float[] diffusion,
      float[] coefficients,
      float[] estimate,
      AnsweredTarget target,
      float[] imageWeights,
      double share,
      BatchKey noise,
      Offset offset,
      BatchKey dropout,
      Optional<Update> update) {}

  /**
   * A target that networks make by what they answer, one after the other.
   *
   * @param questions one for each network, in the order in which they are asked
   * @param factors of the noisy images that the trained network is given, and of all answers: the
   *     target is their sum, {@code [N,1+K]}
   */
  record AnsweredTarget(List<Question> questions, float[] factors) {

    /** Takes a copy of the list. */
    public AnsweredTarget {
      questions = List.copyOf(questions);
    }
  }

  /**
   * What a network is asked.
   *
   * @param timesteps of the images, {@code [N]}
   * @param factors of the noisy images that the trained network is given, and of the k answers
   *     before: what this one is given is their sum, {@code [N,1+k]}
   */
  record Question(float[] timesteps, float[] factors) {}

  /**
   * Offset noise: every channel of an image has a standard normal number of its own.
   *
   * @param key of which the numbers are a function
   * @param deviation times the number is added to the noise of all pixels of the channel; 0 for
   *     nothing
   */
  record Offset(BatchKey key, double deviation) {}

  /**
   * How weights change in a step.
   *
   * @param number of the step, zero-based
   * @param learningRate of this step
   * @param weightDecay times the learning rate is what weights lose
   * @param emaDecay what the moving average keeps
   * @param furtherEmaDecays what further averages keep, in their order
   */
  record Update(
      long number,
      double learningRate,
      double weightDecay,
      double emaDecay,
      List<Double> furtherEmaDecays) {}

  /**
   * What came out of a step.
   *
   * @param losses of the images, unweighted
   * @param gradientNorm Euclidean norm of the gradient before clipping; means nothing where nothing
   *     was updated, as the next
   * @param updateNorm Euclidean norm of the gradient's part of the update; weights, moments and
   *     moving average are as they were if the gradient's norm is not finite
   */
  record Outcome(float[] losses, double gradientNorm, double updateNorm) {}
}
