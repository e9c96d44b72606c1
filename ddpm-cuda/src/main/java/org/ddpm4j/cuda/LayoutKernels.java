package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.ddpm4j.kernels.ops.AveragePool;
import org.ddpm4j.kernels.ops.AveragePoolGradient;
import org.ddpm4j.kernels.ops.ChannelsFirst;
import org.ddpm4j.kernels.ops.ChannelsLast;
import org.ddpm4j.kernels.ops.ConcatChannels;
import org.ddpm4j.kernels.ops.MaxPool;
import org.ddpm4j.kernels.ops.MaxPoolGradient;
import org.ddpm4j.kernels.ops.SplitChannels;
import org.ddpm4j.kernels.ops.UpsampleNearest;
import org.ddpm4j.kernels.ops.UpsampleNearestGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Feature maps moved about, by {@code layout.cu}. */
final class LayoutKernels {

  private static final String FILE = "layout.cu";

  /** Row lengths up to this have a thread for each position, longer ones tiles. */
  private static final int FEW_CHANNELS = 8;

  private static final int TILE = 32;

  private LayoutKernels() {}

  static Kernel channelsLast(
      ChannelsLast op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor images = inputs.get(0);
    Tensor maps = outputs.get(0);
    return images.isDense() && maps != null && isPadded(context, maps)
        ? permute(context, "channels_last", images, maps, maps)
        : permuteAny(context, images, maps, maps);
  }

  static Kernel channelsFirst(
      ChannelsFirst op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor maps = inputs.get(0);
    Tensor images = outputs.get(0);
    return images != null && images.isDense() && isPadded(context, maps)
        ? permute(context, "channels_first", maps, images, maps)
        : permuteAny(context, maps, images, maps);
  }

  private static boolean isPadded(CudaContext context, Tensor maps) {
    return Rows.arePacks(context, maps)
        && maps.rowLength() == CudaDevice.paddedChannels(maps.size(3));
  }

  private static Kernel permute(
      CudaContext context, String kernel, Tensor from, Tensor to, Tensor maps) {
    int positions = maps.size(1) * maps.size(2);
    int channels = maps.size(3);
    if (maps.rowLength() == FEW_CHANNELS) {
      long rows = Rows.count(maps);
      return context.launch(
          FILE, kernel + "_few", Rows.launch(rows), from, to, rows, positions, channels);
    }
    int rowLength = Rows.length(maps);
    int tilesOfPositions = (positions + TILE - 1) / TILE;
    int tilesOfChannels = (rowLength + TILE - 1) / TILE;
    Launch launch =
        Launch.of(
            Math.multiplyExact(maps.size(0), tilesOfPositions), tilesOfChannels, Rows.THREADS);
    return context.launch(FILE, kernel, launch, from, to, positions, channels, rowLength);
  }

  private static Kernel permuteAny(CudaContext context, Tensor from, Tensor to, Tensor maps) {
    if (to == null) {
      return () -> {};
    }
    List<Object> arguments = new ArrayList<>(Rows.anyFormat(from));
    arguments.addAll(Rows.anyFormat(to));
    Collections.addAll(
        arguments, to == maps ? 1 : 0, maps.size(0), maps.size(3), maps.size(1), maps.size(2));
    Launch launch = Rows.launch(Rows.elements(to));
    return context.launch(FILE, "permute_any", launch, arguments.toArray());
  }

  static Kernel concatChannels(
      ConcatChannels op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return PaddedMaps.around(
        context, inputs, outputs, (maps, results) -> concat(context, maps, results.get(0)));
  }

  private static Kernel concat(CudaContext context, List<Tensor> inputs, Tensor y) {
    if (y == null) {
      return () -> {};
    }
    Tensor a = inputs.get(0);
    Tensor b = inputs.get(1);
    return context.launch(
        FILE,
        "concat_channels",
        Rows.launch(Rows.packs(y)),
        a,
        b,
        y,
        Rows.count(y),
        a.size(3),
        b.size(3),
        Rows.length(a),
        Rows.length(b),
        Rows.length(y));
  }

  static Kernel splitChannels(
      SplitChannels op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return PaddedMaps.around(
        context,
        inputs,
        outputs,
        (maps, parts) ->
            split(context, op.firstChannels(), maps.get(0), parts.get(0), parts.get(1)));
  }

  private static Kernel split(CudaContext context, int channelsOfA, Tensor x, Tensor a, Tensor b) {
    if (a == null && b == null) {
      return () -> {};
    }
    return context.launch(
        FILE,
        "split_channels",
        Rows.launch((a == null ? 0 : Rows.packs(a)) + (b == null ? 0 : Rows.packs(b))),
        x,
        a,
        b,
        Rows.count(x),
        channelsOfA,
        x.size(3) - channelsOfA,
        Rows.length(x),
        a == null ? 0 : Rows.length(a),
        b == null ? 0 : Rows.length(b));
  }

  static Kernel averagePool(
      AveragePool op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return sums(context, inputs, outputs, 0.25f);
  }

  static Kernel averagePoolGradient(
      AveragePoolGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return repetitions(context, inputs, outputs, 0.25f);
  }

  static Kernel upsampleNearest(
      UpsampleNearest op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return repetitions(context, inputs, outputs, 1);
  }

  static Kernel upsampleNearestGradient(
      UpsampleNearestGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return sums(context, inputs, outputs, 1);
  }

  static Kernel maxPool(
      MaxPool op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return PaddedMaps.around(
        context,
        inputs,
        outputs,
        (maps, results) -> {
          Tensor x = maps.get(0);
          Tensor y = results.get(0);
          return y == null
              ? () -> {}
              : squares(context, "max_pool", Rows.packs(y), List.of(x, y), x);
        });
  }

  /** Where sizes are odd, the last positions are in no square but get their zeros too. */
  static Kernel maxPoolGradient(
      MaxPoolGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return PaddedMaps.around(
        context,
        inputs,
        outputs,
        (maps, results) -> {
          Tensor x = maps.get(0);
          Tensor dx = results.get(0);
          if (dx == null) {
            return () -> {};
          }
          long squares = (long) x.size(0) * ((x.size(1) + 1) / 2) * ((x.size(2) + 1) / 2);
          long threads = squares * (x.rowLength() / Rows.pack(x));
          List<Tensor> tensors = List.of(x, maps.get(1), dx);
          return squares(context, "max_pool_gradient", threads, tensors, x);
        });
  }

  private static Kernel sums(
      CudaContext context, List<Tensor> inputs, List<Tensor> outputs, float factor) {
    return PaddedMaps.around(
        context,
        inputs,
        outputs,
        (maps, results) -> {
          Tensor x = maps.get(0);
          Tensor y = results.get(0);
          return y == null
              ? () -> {}
              : squares(context, "sums_of_squares", Rows.packs(y), List.of(x, y), x, factor);
        });
  }

  private static Kernel repetitions(
      CudaContext context, List<Tensor> inputs, List<Tensor> outputs, float factor) {
    return PaddedMaps.around(
        context,
        inputs,
        outputs,
        (maps, results) -> {
          Tensor x = maps.get(0);
          Tensor y = results.get(0);
          return y == null
              ? () -> {}
              : squares(context, "repeat_in_squares", Rows.packs(x), List.of(x, y), y, factor);
        });
  }

  /** A thread for each pack of each square of the larger map. */
  private static Kernel squares(
      CudaContext context,
      String kernel,
      long threads,
      List<Tensor> tensors,
      Tensor larger,
      Object... settings) {
    List<Object> arguments = new ArrayList<>(tensors);
    Collections.addAll(
        arguments, larger.size(0), larger.size(1), larger.size(2), Rows.length(larger));
    Collections.addAll(arguments, settings);
    return context.launch(FILE, kernel, Rows.launch(threads), arguments.toArray());
  }
}
