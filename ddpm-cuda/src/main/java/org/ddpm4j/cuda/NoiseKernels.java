package org.ddpm4j.cuda;

import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * Gaussian noise that is a function of its key, and what networks are given and told of noisy
 * images, by {@code diffuse.cu}.
 */
final class NoiseKernels {

  /** What a key has: seed, number of the first image, step and purpose, longs. */
  static final int KEY_LONGS = 4;

  /** What an offset has: a key and a deviation, which is a double. */
  static final int OFFSET_LONGS = KEY_LONGS + 1;

  private static final String FILE = "diffuse.cu";
  private static final int THREADS = 256;

  private NoiseKernels() {}

  /**
   * Standard normal noise.
   *
   * @param out {@code [N,...]}, dense
   * @param key address of {@value #KEY_LONGS} longs
   */
  static Kernel gaussian(CudaContext context, Tensor out, long key) {
    int elements = out.length() / out.size(0);
    return context.launchFloat(
        FILE, "gaussian_noise", launch(out.size(0), elements), out, key, elements);
  }

  /**
   * Images with noise in them, and what a network is to say of them.
   *
   * @param x0 {@code [N,C,H,W]}, dense
   * @param coefficients address of four floats for each image: x_t is the first times x0 and the
   *     second times the noise, the target is the third times x0 and the fourth times the noise
   * @param key address of {@value #KEY_LONGS} longs
   * @param offset address of {@value #OFFSET_LONGS} longs: the key of what moves all pixels of a
   *     channel, and its deviation, or 0 for no such
   * @param xt as x0
   * @param target as x0, or null
   */
  static Kernel diffuse(
      CudaContext context,
      Tensor x0,
      long coefficients,
      long key,
      long offset,
      Tensor xt,
      Tensor target) {
    return diffuse(context, x0, 0, 1, 0, coefficients, key, offset, xt, target);
  }

  /**
   * The same of images whose elements are bytes.
   *
   * @param pixels address of as many bytes as x_t has elements
   * @param scale what a byte, 0 to 255, is multiplied with
   * @param shift what is added then
   */
  static Kernel diffusePixels(
      CudaContext context,
      long pixels,
      float scale,
      float shift,
      long coefficients,
      long key,
      Tensor xt,
      Tensor target) {
    return diffuse(context, null, pixels, scale, shift, coefficients, key, 0, xt, target);
  }

  /**
   * What a network is given that conditions on its own estimate of the images.
   *
   * @param noisy images, {@code [N,C,H,W]}, dense
   * @param answer of the network, as noisy; null for an estimate of zeros
   * @param coefficients address of two floats for each image: the estimate is the first times the
   *     noisy image and the second times the answer; 0 where there is none
   * @param out {@code [N,2C,H,W]}, dense: the estimate, then the noisy image
   */
  static Kernel withEstimate(
      CudaContext context, Tensor noisy, Tensor answer, long coefficients, Tensor out) {
    int elements = noisy.length() / noisy.size(0);
    return context.launchFloat(
        FILE,
        "with_estimate",
        launch(noisy.size(0), elements),
        noisy,
        answer,
        coefficients,
        out,
        elements);
  }

  /**
   * Sums of batches of images, each of whose images has a factor of its own.
   *
   * @param batches which lie one behind the other, {@code [K,N,C,H,W]}, dense
   * @param factors address of as many floats for each image as batches are added up
   * @param terms how many of the batches that are, the first ones
   * @param out {@code [N,C,H,W]}, dense
   */
  static Kernel combine(CudaContext context, Tensor batches, long factors, int terms, Tensor out) {
    int elements = out.length() / out.size(0);
    return context.launchFloat(
        FILE, "combine", launch(out.size(0), elements), batches, factors, terms, out, elements);
  }

  /**
   * The first channels of images.
   *
   * @param images {@code [N,C',H,W]} with C' at least C, dense
   * @param out {@code [N,C,H,W]}, dense
   */
  static Kernel firstChannels(CudaContext context, Tensor images, Tensor out) {
    int elements = out.length() / out.size(0);
    return context.launchFloat(
        FILE,
        "first_channels",
        launch(out.size(0), elements),
        images,
        images.length() / images.size(0),
        out,
        elements);
  }

  private static Kernel diffuse(
      CudaContext context,
      Tensor x0,
      long pixels,
      float scale,
      float shift,
      long coefficients,
      long key,
      long offset,
      Tensor xt,
      Tensor target) {
    int elements = xt.length() / xt.size(0);
    return context.launchFloat(
        FILE,
        "diffuse",
        launch(xt.size(0), elements),
        x0,
        pixels,
        scale,
        shift,
        coefficients,
        key,
        offset,
        xt,
        target,
        elements,
        elements / xt.size(1));
  }

  /** One thread for four elements of an image. */
  private static Launch launch(int images, int elements) {
    int blocks = ((elements + 3) / 4 + THREADS - 1) / THREADS;
    return Launch.of(blocks, images, THREADS);
  }
}
