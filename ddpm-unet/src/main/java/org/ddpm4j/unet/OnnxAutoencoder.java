package org.ddpm4j.unet;

import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Modules;
import org.ddpm4j.unet.model.AutoencoderConfig;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The halves of an autoencoder with what {@link Autoencoder} does before and behind them, as
 * networks of ONNX alone.
 */
final class OnnxAutoencoder {

  private OnnxAutoencoder() {}

  /** Images to latents: of means and log-variances the means, and all scaled. */
  record Encoder(UnetConfig network, AutoencoderConfig.Latents latents) implements UnetConfig {

    @Override
    public int inChannels() {
      return network.inChannels();
    }

    @Override
    public int outChannels() {
      return latents.stateChannels();
    }

    @Override
    public int sizeDivisor() {
      return network.sizeDivisor();
    }

    @Override
    public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
      FeatureMap encoded = network.build(modules, x, t, labels);
      OnnxLayers layers = (OnnxLayers) modules.layers();
      FeatureMap states =
          latents instanceof AutoencoderConfig.Gaussian
              ? layers.firstChannels(encoded, latents.stateChannels())
              : encoded;
      return states.with(layers.affine(states.values(), latents.scalingFactor(), 0));
    }
  }

  /**
   * Latents to images, through the nearest vectors where there is a codebook.
   *
   * @param vectors {@code [count,width]}; null where there is none
   */
  record Decoder(UnetConfig network, AutoencoderConfig.Latents latents, INDArray vectors)
      implements UnetConfig {

    @Override
    public int inChannels() {
      return network.inChannels();
    }

    @Override
    public int outChannels() {
      return network.outChannels();
    }

    @Override
    public int sizeDivisor() {
      return network.sizeDivisor();
    }

    @Override
    public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
      OnnxLayers layers = (OnnxLayers) modules.layers();
      FeatureMap unscaled = x.with(layers.affine(x.values(), 1 / latents.scalingFactor(), 0));
      return network.build(
          modules, vectors == null ? unscaled : layers.nearest(unscaled, vectors), t, labels);
    }
  }
}
