package org.ddpm4j.kernels.cpu;

import static org.ddpm4j.kernels.cpu.Winograd1dLoops.CHUNK;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.IN;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.KERNEL;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * dU, and {@code Gᵀ dU}. For each column of the kernel, dU is a matrix product over all positions,
 * of M and of V moved by a column: what is moved over the end of a row meets the gap.
 */
final class Winograd1dWeightsGradient implements Kernel {

  /** The largest part of dU, in floats: what a cache holds. */
  private static final int PART_FLOATS = 1 << 19;

  /** Input channels of such a part come in multiples of this. */
  private static final int CHANNELS_STEP = 32;

  private final CpuTensor allOfX;
  private final float[] beforeAndAfter;
  private final int start;
  private final CpuTensor transformedX;
  private final CpuTensor dw;
  private final List<Part> parts = new ArrayList<>();

  /** Of some input channels: dU is {@code [3,6,channels,oC]}, the columns of the kernel first. */
  private record Part(List<Kernel> products, CpuTensor du, int firstChannel) {}

  Winograd1dWeightsGradient(
      CpuContext context,
      Winograd1dTiles tiles,
      CpuTensor transformedDy,
      CpuTensor inputScratch,
      CpuTensor scratch,
      CpuTensor dw) {
    this.dw = dw;
    int inChannels = dw.size(2);
    int outChannels = dw.size(3);
    allOfX = inputScratch;
    start = before(inChannels);
    beforeAndAfter = new float[start / 2];
    long length = tiles.length(inChannels);
    CpuTensor all = inputScratch.asBfloat16(start + length + start);
    transformedX = all.part(start, length);
    long positions = (long) tiles.rows() * tiles.storedWidth();
    int partChannels = partChannels(inChannels, outChannels);
    for (int first = 0; first < inChannels; first += partChannels) {
      int channels = Math.min(partChannels, inChannels - first);
      CpuTensor du = scratch.part(0, KERNEL, IN, channels, outChannels);
      MatrixProduct product =
          MatrixProduct.of(
              Onednn.strided(
                  memory.data_type.bf16, new long[] {channels, positions}, 1, inChannels),
              Onednn.dense(memory.data_type.bf16, positions, outChannels),
              Onednn.dense(channels, outChannels));
      List<Kernel> products = new ArrayList<>();
      for (int f = 0; f < IN; f++) {
        CpuTensor m = tiles.frequency(transformedDy, f, outChannels);
        for (int k = 0; k < KERNEL; k++) {
          long moved = start + (f * positions + k - 1) * inChannels + first;
          CpuTensor v = all.part(moved, (positions - 1) * inChannels + channels);
          long pairs = (long) channels * outChannels;
          products.add(product.call(context, v, m, du.part((k * IN + f) * pairs, pairs)));
        }
      }
      parts.add(new Part(products, du, first));
    }
  }

  /** Zeros before the first position and after the last, in multiples of a cache line. */
  private static int before(int inChannels) {
    return 2 * (int) FloatMemory.roundUp(CpuTensor.floatsFor(inChannels));
  }

  /** The floats of scratch memory for the transformed inputs. */
  static long inputScratch(Winograd1dTiles tiles, int inChannels) {
    return CpuTensor.floatsFor(tiles.length(inChannels) + 2L * before(inChannels));
  }

  /** The floats of scratch memory for dU. */
  static long scratch(CpuTensor dw) {
    return (long) KERNEL * IN * partChannels(dw.size(2), dw.size(3)) * dw.size(3);
  }

  private static int partChannels(int inChannels, int outChannels) {
    int most = Math.max(1, PART_FLOATS / (KERNEL * IN * outChannels));
    int parts = (inChannels + most - 1) / most;
    int steps = (inChannels + parts * CHANNELS_STEP - 1) / (parts * CHANNELS_STEP);
    return Math.min(inChannels, steps * CHANNELS_STEP);
  }

  /** Where the transformed inputs are to be written before this is run. */
  CpuTensor transformedX() {
    return transformedX;
  }

  @Override
  public void run() {
    allOfX.buffer().put(0, beforeAndAfter);
    allOfX.buffer().put((start + transformedX.length()) / 2, beforeAndAfter);
    for (Part part : parts) {
      part.products.forEach(Kernel::run);
      transformBack(part);
    }
  }

  private void transformBack(Part part) {
    float[][] u = Winograd1dTiles.chunks(IN);
    float[][] g = Winograd1dTiles.chunks(KERNEL);
    float[] sum = new float[CHUNK];
    int pairs = part.du.size(2) * part.du.size(3);
    int allPairs = dw.size(2) * dw.size(3);
    int first = part.firstChannel * dw.size(3);
    for (int column = 0; column < KERNEL; column++) {
      for (int start = 0; start < pairs; start += CHUNK) {
        int n = Math.min(CHUNK, pairs - start);
        for (int f = 0; f < IN; f++) {
          part.du.buffer().get((column * IN + f) * pairs + start, u[f], 0, n);
        }
        Winograd1dLoops.transformFilterBackward(u, g, n);
        for (int row = 0; row < KERNEL; row++) {
          int at = (row * KERNEL + column) * allPairs + first + start;
          ParameterGradients.add(dw, at, g[row], n, sum);
        }
      }
    }
  }
}
