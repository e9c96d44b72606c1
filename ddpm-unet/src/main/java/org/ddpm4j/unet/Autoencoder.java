package org.ddpm4j.unet;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.unet.layers.Initialization;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.WeightLayout;
import org.ddpm4j.unet.model.AutoencoderConfig;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * An autoencoder at work: it makes the latents that diffusion goes on in of images, and images of
 * latents (Rombach et al. 2022). Images are in [-1,1].
 *
 * <p>Any number of threads may use one, as a {@link Unet}.
 */
public final class Autoencoder implements AutoCloseable {

  /** The name of the codebook's vectors in files. */
  static final String CODEBOOK = "quantize.embedding.weight";

  private final AutoencoderConfig config;
  private final Unet encoder;
  private final Unet decoder;

  /** The vectors as a file has them; null where there is no codebook. */
  private final INDArray vectors;

  private final Optional<Codebook> codebook;

  /** What becomes of latents before they are decoded. */
  public enum Quantization {
    /** Each is replaced by the nearest vector of the codebook, if there is one. */
    NEAREST,
    /** They stay as they are; diffusers' {@code force_not_quantize}. */
    NONE
  }

  private Autoencoder(AutoencoderConfig config, Unet encoder, Unet decoder, INDArray vectors) {
    this.config = config;
    this.encoder = encoder;
    this.decoder = decoder;
    // Not a workspace's, should a caller have one open.
    this.vectors = vectors == null ? null : vectors.detach();
    this.codebook = Optional.ofNullable(vectors).map(Codebook::new);
  }

  /**
   * An autoencoder with freshly drawn weights.
   *
   * @param config the architecture
   * @param dataType FLOAT or DOUBLE
   * @param seed of the weights
   * @param execution how it computes
   * @return the autoencoder
   * @throws IllegalArgumentException if it cannot compute so in that data type
   */
  public static Autoencoder create(
      AutoencoderConfig config, DataType dataType, long seed, Execution execution) {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(execution, "execution");
    execution.isFused(dataType);
    Parameters all = Parameters.zeros(declarations(config, dataType), dataType);
    all.initialize(seed);
    return of(config, all.toPyTorch(), dataType, execution);
  }

  /** Of tensors that are known to be those of the declarations. */
  static Autoencoder of(
      AutoencoderConfig config,
      Map<String, INDArray> tensors,
      DataType dataType,
      Execution execution) {
    INDArray vectors = tensors.get(CODEBOOK);
    return new Autoencoder(
        config,
        part(config.encoder(), tensors, dataType, execution),
        part(config.decoder(), tensors, dataType, execution),
        vectors == null ? null : vectors.castTo(dataType).dup());
  }

  private static Unet part(
      UnetConfig config, Map<String, INDArray> all, DataType dataType, Execution execution) {
    List<Parameter> declarations = Unet.declarations(config, dataType);
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    for (Parameter declaration : declarations) {
      tensors.put(declaration.name(), all.get(declaration.name()));
    }
    Parameters parameters = Parameters.zeros(declarations, dataType);
    parameters.assignPyTorch(tensors);
    return new Unet(config, parameters, execution);
  }

  /**
   * Another autoencoder that reads the same weights and computes in the same way. Each is closed of
   * its own.
   *
   * @return a new one
   */
  public Autoencoder withSameWeights() {
    return new Autoencoder(config, sharing(encoder), sharing(decoder), vectors);
  }

  private static Unet sharing(Unet network) {
    return new Unet(network.config(), network.parameters(), network.execution());
  }

  /** All parameters, in diffusers' order. */
  static List<Parameter> declarations(AutoencoderConfig config, DataType dataType) {
    List<Parameter> all = new ArrayList<>(Unet.declarations(config.encoder(), dataType));
    if (config.latents() instanceof AutoencoderConfig.Quantized quantized) {
      all.add(
          new Parameter(
              CODEBOOK,
              WeightLayout.EMBEDDING,
              new long[] {quantized.codes(), quantized.width()},
              // Within ±1/count, as there.
              Initialization.fanIn((long) quantized.codes() * quantized.codes())));
    }
    all.addAll(Unet.declarations(config.decoder(), dataType));
    return all;
  }

  /** {@return the architecture} */
  public AutoencoderConfig config() {
    return config;
  }

  /** {@return the network that makes latents of images, closed with the autoencoder} */
  public Unet encoder() {
    return encoder;
  }

  /**
   * The network that makes images of latents, behind any quantisation.
   *
   * @return it; closed with the autoencoder
   */
  public Unet decoder() {
    return decoder;
  }

  /**
   * The vectors by which latents are replaced.
   *
   * @return the codebook, or empty where there is none
   */
  public Optional<Codebook> codebook() {
    return codebook;
  }

  /** The codebook's vectors, {@code [count,width]}; null where there is none. */
  INDArray vectors() {
    return vectors;
  }

  /**
   * The weights under PyTorch's names in PyTorch's layouts.
   *
   * @return all tensors
   */
  public Map<String, INDArray> toPyTorch() {
    Map<String, INDArray> tensors = new LinkedHashMap<>(encoder.parameters().toPyTorch());
    if (vectors != null) {
      tensors.put(CODEBOOK, vectors);
    }
    tensors.putAll(decoder.parameters().toPyTorch());
    return tensors;
  }

  /**
   * The number of weights.
   *
   * @return of encoder, decoder and codebook together
   */
  public long parameterCount() {
    return encoder.parameters().count()
        + decoder.parameters().count()
        + (vectors == null ? 0 : vectors.length());
  }

  /**
   * A checksum of all weights, see {@link Parameters#fingerprint}.
   *
   * @return hexadecimal digits
   */
  public String fingerprint() {
    StringBuilder all = new StringBuilder(encoder.parameters().fingerprint());
    all.append(decoder.parameters().fingerprint());
    codebook.ifPresent(vectorsByNumber -> all.append(vectorsByNumber.fingerprint()));
    return all.toString();
  }

  /**
   * Makes latents of images: of means and log-variances the means, which are the likeliest; of
   * vectors those that are not quantised yet.
   *
   * @param images in [-1,1], {@code [N,C,H,W]}; height and width are multiples of {@link
   *     AutoencoderConfig#pixelsPerLatent}
   * @return states of diffusion, scaled, {@code [N,c,h,w]}
   * @throws IllegalArgumentException if the images are of another shape
   */
  public INDArray encode(INDArray images) {
    INDArray encoded = run(encoder, images);
    if (config.latents() instanceof AutoencoderConfig.Gaussian gaussian) {
      INDArray means =
          encoded
              .get(NDArrayIndex.all(), NDArrayIndex.interval(0, gaussian.channels()))
              .mul(gaussian.scalingFactor());
      encoded.close();
      return means;
    }
    return encoded.muli(config.latents().scalingFactor());
  }

  /**
   * Makes images of latents, as the pipelines of diffusers do.
   *
   * @param latents states of diffusion, scaled, {@code [N,c,h,w]}
   * @return images, about [-1,1], {@code [N,C,H,W]}
   * @throws IllegalArgumentException if the latents are of another shape
   */
  public INDArray decode(INDArray latents) {
    return decode(latents, Quantization.NEAREST);
  }

  /**
   * Makes images of latents.
   *
   * @param latents states of diffusion, scaled, {@code [N,c,h,w]}
   * @param quantization what becomes of them first
   * @return images, about [-1,1], {@code [N,C,H,W]}
   * @throws IllegalArgumentException if the latents are of another shape
   */
  public INDArray decode(INDArray latents, Quantization quantization) {
    Objects.requireNonNull(quantization, "quantization");
    try (INDArray unscaled = latents.div(config.latents().scalingFactor())) {
      if (codebook.isEmpty() || quantization == Quantization.NONE) {
        return run(decoder, unscaled);
      }
      return decodeNumbers(codebook.get().nearest(unscaled));
    }
  }

  /**
   * Makes images of vectors by their numbers; diffusers' {@code lookup_from_codebook}.
   *
   * @param numbers of the codebook's vectors, {@code [N,h,w]}
   * @return images, about [-1,1], {@code [N,C,H,W]}
   * @throws IllegalArgumentException if there is no codebook, or no vector of a number
   */
  public INDArray decodeNumbers(INDArray numbers) {
    Codebook vectorsByNumber =
        codebook.orElseThrow(
            () ->
                new IllegalArgumentException(
                    "An AutoencoderKL has no codebook; decode its latents themselves."));
    try (INDArray latents = vectorsByNumber.lookUp(numbers)) {
      return run(decoder, latents);
    }
  }

  /** The time, which these networks are not told, is 0. */
  private static INDArray run(Unet network, INDArray x) {
    return network.predict(x, Nd4j.zeros(network.dataType(), Math.max(1, x.size(0))));
  }

  /** Closes both networks. */
  @Override
  public void close() {
    encoder.close();
    decoder.close();
  }
}
