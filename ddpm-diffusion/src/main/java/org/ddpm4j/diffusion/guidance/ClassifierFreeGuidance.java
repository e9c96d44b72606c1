package org.ddpm4j.diffusion.guidance;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Function;
import org.ddpm4j.diffusion.ClassConditionalDenoiser;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.Network;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.SelfConditioning;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.arithmetic.Views;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A network that was told the class of some images and not of others, guided towards the class.
 * Guidance is on what the network predicts, whatever that is, as in Lin et al. 2024; without
 * rescaling that makes no difference. A learned variance is that of the class.
 *
 * @param network of the noisy images, the time and the labels
 * @param parameterization what it predicts
 * @param schedule the one that it was trained with
 * @param nullClass the label that stands for no class
 * @param guidance how far beyond the class
 * @param selfConditions whether the network conditions on its own estimate, which is then the
 *     guided one; denoisers are of one run each
 */
public record ClassifierFreeGuidance(
    Function<UnetInput, INDArray> network,
    Parameterization parameterization,
    NoiseSchedule schedule,
    int nullClass,
    Guidance guidance,
    boolean selfConditions)
    implements ClassConditionalDenoiser {

  /**
   * A network that does not condition on itself.
   *
   * @param network of the noisy images, the time and the labels
   * @param parameterization what it predicts
   * @param schedule the one that it was trained with
   * @param nullClass the label that stands for no class
   * @param guidance how far beyond the class
   */
  public ClassifierFreeGuidance(
      Function<UnetInput, INDArray> network,
      Parameterization parameterization,
      NoiseSchedule schedule,
      int nullClass,
      Guidance guidance) {
    this(network, parameterization, schedule, nullClass, guidance, false);
  }

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if one is missing
   * @throws IllegalArgumentException if the null class is negative
   */
  public ClassifierFreeGuidance {
    Objects.requireNonNull(network, "network");
    Objects.requireNonNull(parameterization, "parameterization");
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(guidance, "guidance");
    if (nullClass < 0) {
      throw new IllegalArgumentException(
          Text.format(
              "The null class is %d; it must be a row of the class embedding, which begin at 0.",
              nullClass));
    }
  }

  /**
   * For a U-Net whose last class embedding stands for no class, as label dropout trains it.
   *
   * @param unet the network
   * @param parameterization what it predicts
   * @param schedule the one that it was trained with
   * @param guidance how far beyond the class
   * @return the model
   * @throws IllegalArgumentException if the network knows no classes
   */
  public static ClassifierFreeGuidance of(
      Unet unet, Parameterization parameterization, NoiseSchedule schedule, Guidance guidance) {
    Objects.requireNonNull(unet, "unet");
    return of(unet, parameterization, schedule, unet.config().classEmbeddings() - 1, guidance);
  }

  /**
   * For a U-Net with class embeddings.
   *
   * @param unet the network
   * @param parameterization what it predicts
   * @param schedule the one that it was trained with
   * @param nullClass the row of the class embedding that stands for no class
   * @param guidance how far beyond the class
   * @return the model
   * @throws IllegalArgumentException if the network has no such row, or no other
   */
  public static ClassifierFreeGuidance of(
      Unet unet,
      Parameterization parameterization,
      NoiseSchedule schedule,
      int nullClass,
      Guidance guidance) {
    Objects.requireNonNull(unet, "unet");
    int embeddings = unet.config().classEmbeddings();
    if (embeddings < 2) {
      throw new IllegalArgumentException(
          Text.format(
              "The network has %d class embedding(s); guidance needs one for each class and one more for none.",
              embeddings));
    }
    if (nullClass < 0 || nullClass >= embeddings) {
      throw new IllegalArgumentException(
          Text.format(
              "The null class is %d, but the class embedding of the network has the rows 0 to %d.",
              nullClass, embeddings - 1));
    }
    return new ClassifierFreeGuidance(
        unet::predict,
        parameterization,
        schedule,
        nullClass,
        guidance,
        unet.config().selfConditions());
  }

  @Override
  public Denoiser withClasses(int... classes) {
    int[] none = new int[classes.length];
    Arrays.fill(none, nullClass);
    SelfConditioning conditioning = new SelfConditioning();
    Denoiser conditional = denoiser(told(classes), conditioning);
    if (!guidance.needsNullClass()) {
      return selfConditions ? conditioning.remember(conditional) : conditional;
    }
    Denoiser guided =
        denoiser(guidance.needsClass() ? guided(classes, none) : told(none), conditioning);
    Denoiser either =
        (xt, level) ->
            (guidance.interval().contains(level) ? guided : conditional).denoise(xt, level);
    return selfConditions ? conditioning.remember(either) : either;
  }

  private NetworkDenoiser denoiser(Network labelled, SelfConditioning conditioning) {
    return new NetworkDenoiser(
        selfConditions ? conditioning.condition(labelled) : labelled, parameterization, schedule);
  }

  private Network told(int[] classes) {
    INDArray labels = Nd4j.createFromArray(classes);
    return (x, t) -> network.apply(new UnetInput(x, t, labels));
  }

  /** Asks for both at once, which is faster than one after the other where images are few. */
  private Network guided(int[] classes, int[] none) {
    INDArray labels = Nd4j.concat(0, Nd4j.createFromArray(classes), Nd4j.createFromArray(none));
    return (x, t) -> {
      long images = x.size(0);
      long channels = selfConditions ? x.size(1) / 2 : x.size(1);
      INDArray twice = BatchArithmetic.twice(x);
      INDArray times = Nd4j.concat(0, t, t);
      INDArray both = network.apply(new UnetInput(twice, times, labels));
      INDArray answer =
          guidance.combine(
              part(both, 0, images, channels), part(both, images, 2 * images, channels));
      if (both.size(1) > channels) {
        INDArray variance =
            both.get(
                NDArrayIndex.interval(0, images), NDArrayIndex.interval(channels, both.size(1)));
        answer = Nd4j.concat(1, answer, variance);
      }
      // At once: the garbage collector, which sees only the small Java objects, may wait for hours.
      twice.close();
      times.close();
      return answer;
    };
  }

  private static INDArray part(INDArray output, long first, long end, long channels) {
    return Views.of(output, NDArrayIndex.interval(first, end), NDArrayIndex.interval(0, channels));
  }
}
