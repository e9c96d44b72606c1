package org.ddpm4j.unet;

import java.util.Objects;
import org.ddpm4j.kernels.FusedKernels;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Precision;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * How a network computes; what it computes is the same up to rounding.
 *
 * @param layers which operations
 * @param precision number format of convolutions, with fused layers
 * @param threads how many, at least 1, with fused layers; SameDiff's own operations use OpenMP's
 */
public record Execution(LayersChoice layers, Precision precision, int threads) {

  /**
   * Checks that this machine can do so.
   *
   * @param layers which operations
   * @param precision number format of convolutions
   * @param threads how many
   * @throws IllegalArgumentException if it cannot
   */
  public Execution {
    Objects.requireNonNull(layers, "layers");
    Objects.requireNonNull(precision, "precision");
    if (threads < 1) {
      throw new IllegalArgumentException(
          "A network cannot compute with %d threads; at least 1 is needed.".formatted(threads));
    }
    if (precision == Precision.BFLOAT16) {
      if (layers == LayersChoice.REFERENCE) {
        throw new IllegalArgumentException(
            "The reference layers cannot compute in bfloat16; choose the fused layers or float32.");
      }
      if (!FusedKernels.available() || !Onednn.hasBfloat16()) {
        throw new IllegalArgumentException(
            "This processor has no instructions for bfloat16 (AVX512-BF16 or AMX); choose float32.");
      }
    }
    if (layers == LayersChoice.FUSED && !FusedKernels.available()) {
      throw new IllegalArgumentException(
          "The fused layers do not run here (%s); choose the reference layers."
              .formatted(FusedKernels.obstacle()));
    }
  }

  /**
   * The fastest way of this machine that keeps float32.
   *
   * @return automatic choice, all processors
   */
  public static Execution automatic() {
    return new Execution(
        LayersChoice.AUTOMATIC, Precision.FLOAT32, Runtime.getRuntime().availableProcessors());
  }

  /**
   * SameDiff's own operations.
   *
   * @return the reference layers
   */
  public static Execution reference() {
    return new Execution(LayersChoice.REFERENCE, Precision.FLOAT32, 1);
  }

  /**
   * Whether a network of a data type is built of fused layers.
   *
   * @param dataType FLOAT or DOUBLE
   * @return true for fused layers
   * @throws IllegalArgumentException if fused layers are demanded in DOUBLE
   */
  public boolean isFused(DataType dataType) {
    if (layers == LayersChoice.FUSED && dataType != DataType.FLOAT) {
      throw new IllegalArgumentException(
          "The fused layers compute in FLOAT, not in %s; choose the reference layers."
              .formatted(dataType));
    }
    return layers != LayersChoice.REFERENCE
        && dataType == DataType.FLOAT
        && FusedKernels.available();
  }
}
