package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.BoundLoss;
import org.ddpm4j.kernels.ops.BoundPerImage;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Frequencies;
import org.ddpm4j.unet.layers.FusedLayers;
import org.ddpm4j.unet.layers.Layers;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Layers of sizes that fill tiles, packs and padded rows, and of sizes that do not. */
final class OperationCases {

  private final List<OperationCase> cases = new ArrayList<>();

  private OperationCases() {}

  static Stream<OperationCase> all() {
    OperationCases made = new OperationCases();
    made.addConvolutions();
    made.addConvolutionsWithNeighbours();
    made.addStridedConvolutionsWithNeighbours();
    made.addDepthwise();
    made.addNormalisations();
    made.addRmsNormalisations();
    made.addElementwise();
    made.addRearrangements();
    made.addAttentions();
    made.addVectors();
    made.addLosses();
    made.addBounds();
    return made.cases.stream();
  }

  private void addConvolutions() {
    int[][] sizes = {
      // n, h, w, in, out, kernel, stride, padding, end padding
      {1, 1, 1, 1, 1, 1, 1, 0, 0},
      {1, 1, 1, 3, 5, 1, 1, 0, 0},
      {3, 6, 5, 3, 4, 3, 1, 1, 1},
      {1, 7, 7, 28, 56, 3, 1, 1, 1},
      {3, 9, 5, 12, 9, 3, 1, 1, 1},
      {3, 11, 9, 1, 28, 7, 1, 3, 3},
      {3, 5, 7, 28, 1, 1, 1, 0, 0},
      {1, 4, 4, 28, 384, 1, 1, 0, 0},
      {3, 7, 5, 128, 28, 1, 1, 0, 0},
      {3, 8, 6, 5, 7, 4, 2, 1, 1},
      {1, 14, 14, 28, 28, 4, 2, 1, 1},
      {3, 9, 7, 6, 10, 3, 2, 1, 1},
      {1, 6, 5, 72, 112, 3, 1, 1, 1},
      {1, 9, 8, 128, 144, 3, 1, 1, 1},
      {3, 8, 6, 5, 7, 3, 2, 0, 1},
      {1, 7, 5, 3, 4, 3, 1, 2, 0},
      {3, 8, 8, 32, 32, 3, 2, 0, 1},
    };
    for (int[] s : sizes) {
      Convolution shape = new Convolution(s[5], s[6], s[7], s[8]);
      String size = "%dx%dx%dx%d to %d, %s".formatted(s[0], s[1], s[2], s[3], s[4], shape);
      cases.add(
          convolution("conv2d " + size, s)
              .parameter(s[4])
              .gives(
                  (l, in) -> l.conv2d(in.map(0), in.parameter(0), in.parameter(1), shape, s[4])));
      cases.add(
          convolution("conv2d without bias " + size, s)
              .gives((l, in) -> l.conv2d(in.map(0), in.parameter(0), null, shape, s[4])));
      if (shape.isSymmetric()) {
        cases.add(
            OperationCase.of("convTranspose2d " + size)
                .map(s[0], s[1], s[2], s[3])
                .parameter(s[5], s[5], s[4], s[3])
                .parameter(s[4])
                .gives(
                    (l, in) ->
                        l.convTranspose2d(
                            in.map(0), in.parameter(0), in.parameter(1), shape, s[4])));
      }
    }
  }

  private static OperationCase.Builder convolution(String name, int[] s) {
    return OperationCase.of(name).map(s[0], s[1], s[2], s[3]).parameter(s[5], s[5], s[3], s[4]);
  }

  /** What plans may compute together with a convolution. */
  private void addConvolutionsWithNeighbours() {
    int[][] sizes = {{3, 5, 7, 12, 12}, {1, 6, 6, 28, 28}, {3, 4, 4, 3, 3}};
    for (int[] s : sizes) {
      String size = " %dx%dx%dx%d".formatted(s[0], s[1], s[2], s[3]);
      for (Activation activation : Activation.values()) {
        cases.add(
            convolved("conv2d and " + activation + size, s)
                .gives(
                    (l, in) -> {
                      FeatureMap y = convolved(l, in, s);
                      return y.with(l.activation(y.values(), activation));
                    }));
      }
      cases.add(
          convolved("conv2d and the sum with its input" + size, s)
              .gives((l, in) -> l.add(convolved(l, in, s), in.map(0))));
      cases.add(
          convolved("the sum of an activation and conv2d" + size, s)
              .gives(
                  (l, in) -> {
                    FeatureMap x = in.map(0);
                    FeatureMap active = x.with(l.activation(x.values(), Activation.GELU));
                    return l.add(active, convolved(l, in, s));
                  }));
      cases.add(
          convolved("conv2d and addPerChannel" + size, s)
              .vector(s[0], s[4])
              .gives((l, in) -> l.addPerChannel(convolved(l, in, s), in.vector(0))));
      cases.add(
          convolved("conv2d, addPerChannel and a sum" + size, s)
              .vector(s[0], s[4])
              .gives(
                  (l, in) -> l.add(l.addPerChannel(convolved(l, in, s), in.vector(0)), in.map(0))));
      cases.add(
          convolved("a block" + size, s)
              .vector(s[0], s[4])
              .parameter(s[4])
              .parameter(s[4])
              .gives(
                  (l, in) -> {
                    FeatureMap h = convolved(l, in, s);
                    h = l.groupNorm(h, in.parameter(2), in.parameter(3), 1, 1e-5, Activation.SILU);
                    h = l.addPerChannel(h, in.vector(0));
                    return l.add(
                        l.conv2d(h, in.parameter(0), in.parameter(1), Convolution.same(3), s[4]),
                        in.map(0));
                  }));
    }
  }

  /** Whose gradient by data is added to another: it is a convolution of several phases. */
  private void addStridedConvolutionsWithNeighbours() {
    List<Convolution> shapes =
        List.of(
            new Convolution(4, 2, 1, 1), new Convolution(3, 2, 0, 1), new Convolution(1, 2, 0, 0));
    for (int[] s : new int[][] {{3, 8, 6, 5}, {1, 8, 8, 32}}) {
      for (Convolution shape : shapes) {
        cases.add(
            OperationCase.of(
                    "conv2d and avgPool2 of %dx%dx%dx%d, %s"
                        .formatted(s[0], s[1], s[2], s[3], shape))
                .map(s[0], s[1], s[2], s[3])
                .parameter(shape.kernel(), shape.kernel(), s[3], s[3])
                .parameter(s[3])
                .gives(
                    (l, in) ->
                        l.add(
                            l.avgPool2(in.map(0)),
                            l.conv2d(in.map(0), in.parameter(0), in.parameter(1), shape, s[3]))));
      }
    }
  }

  private static OperationCase.Builder convolved(String name, int[] s) {
    return OperationCase.of(name)
        .map(s[0], s[1], s[2], s[3])
        .parameter(3, 3, s[3], s[4])
        .parameter(s[4]);
  }

  private static FeatureMap convolved(Layers layers, OperationCase.Inputs in, int[] s) {
    return layers.conv2d(in.map(0), in.parameter(0), in.parameter(1), Convolution.same(3), s[4]);
  }

  private void addDepthwise() {
    int[][] sizes = {
      {1, 3, 2, 1}, {3, 9, 7, 5}, {1, 14, 14, 28}, {3, 7, 7, 12}, {1, 5, 6, 72}, {1, 17, 19, 3}
    };
    for (int[] s : sizes) {
      for (int kernel : new int[] {3, 7}) {
        cases.add(
            OperationCase.of(
                    "depthwiseConv2d %dx%dx%dx%d, %d".formatted(s[0], s[1], s[2], s[3], kernel))
                .map(s[0], s[1], s[2], s[3])
                .parameter(kernel, kernel, s[3], 1)
                .parameter(s[3])
                .gives(
                    (l, in) ->
                        l.depthwiseConv2d(
                            in.map(0),
                            in.parameter(0),
                            in.parameter(1),
                            Convolution.same(kernel))));
      }
    }
  }

  private void addNormalisations() {
    int[][] sizes = {
      // n, h, w, channels, groups
      {1, 3, 5, 1, 1},
      {3, 6, 5, 3, 1},
      {3, 6, 5, 3, 3},
      {1, 7, 7, 28, 28},
      {3, 5, 7, 28, 1},
      {3, 9, 5, 12, 3},
      {1, 14, 14, 56, 8},
      {1, 1, 1, 8, 2},
      {1, 28, 28, 28, 1},
      {3, 4, 4, 96, 32},
      {1, 16, 16, 128, 32},
      {1, 9, 9, 112, 1},
    };
    for (int[] s : sizes) {
      for (Activation activation : Activation.values()) {
        cases.add(
            OperationCase.of(
                    "groupNorm %dx%dx%dx%d in %d groups, %s"
                        .formatted(s[0], s[1], s[2], s[3], s[4], activation))
                .map(s[0], s[1], s[2], s[3])
                .parameter(s[3])
                .parameter(s[3])
                .gives(
                    (l, in) ->
                        l.groupNorm(
                            in.map(0), in.parameter(0), in.parameter(1), s[4], 1e-5, activation)));
      }
      addNormalisationsWithNeighbours(s);
    }
  }

  private void addNormalisationsWithNeighbours(int[] s) {
    String size = " %dx%dx%dx%d in %d groups".formatted(s[0], s[1], s[2], s[3], s[4]);
    cases.add(
        normalised("groupNorm and the sum with its input" + size, s)
            .gives((l, in) -> l.add(normalised(l, in, s), in.map(0))));
    // One channel a group forgets what is added to it: the gradient would be 0.
    if (s[4] < s[3]) {
      cases.add(
          normalised("addPerChannel and groupNorm" + size, s)
              .vector(s[0], s[3])
              .gives(
                  (l, in) ->
                      l.groupNorm(
                          l.addPerChannel(in.map(0), in.vector(0)),
                          in.parameter(0),
                          in.parameter(1),
                          s[4],
                          1e-5,
                          Activation.SILU)));
    }
    cases.add(
        normalised("addPerChannel, groupNorm, addPerChannel and a sum" + size, s)
            .vector(s[0], s[3])
            .gives(
                (l, in) -> {
                  FeatureMap x = l.addPerChannel(in.map(0), in.vector(0));
                  FeatureMap y =
                      l.groupNorm(x, in.parameter(0), in.parameter(1), s[4], 1e-5, Activation.SILU);
                  return l.add(l.addPerChannel(y, in.vector(0)), in.map(0));
                }));
    cases.add(
        normalised("groupNorm and addPerChannel" + size, s)
            .vector(s[0], s[3])
            .gives((l, in) -> l.addPerChannel(normalised(l, in, s), in.vector(0))));
    cases.add(
        normalised("groupNorm, addPerChannel and the sum with its input" + size, s)
            .vector(s[0], s[3])
            .gives(
                (l, in) -> l.add(in.map(0), l.addPerChannel(normalised(l, in, s), in.vector(0)))));
  }

  private static OperationCase.Builder normalised(String name, int[] s) {
    return OperationCase.of(name).map(s[0], s[1], s[2], s[3]).parameter(s[3]).parameter(s[3]);
  }

  private static FeatureMap normalised(Layers layers, OperationCase.Inputs in, int[] s) {
    return layers.groupNorm(
        in.map(0), in.parameter(0), in.parameter(1), s[4], 1e-5, Activation.SILU);
  }

  private void addRmsNormalisations() {
    int[][] sizes = {
      {1, 1, 1, 2}, {3, 5, 7, 3}, {3, 4, 6, 12}, {1, 14, 14, 28}, {3, 9, 5, 64}, {1, 3, 2, 300}
    };
    for (int[] s : sizes) {
      cases.add(
          OperationCase.of("rmsNorm %dx%dx%dx%d".formatted(s[0], s[1], s[2], s[3]))
              .map(s[0], s[1], s[2], s[3])
              .parameter(s[3])
              .gives((l, in) -> l.rmsNorm(in.map(0), in.parameter(0))));
    }
  }

  /** Shapes of feature maps that pad rows by 7, 5, 4, 4 and no elements. */
  private static final int[][] MAPS = {
    {1, 1, 1, 1}, {3, 5, 7, 3}, {3, 4, 6, 12}, {1, 14, 14, 28}, {1, 3, 5, 64}
  };

  private interface OnMap {
    SDVariable apply(Layers layers, OperationCase.Inputs inputs);
  }

  /** Layers that keep the shape of the first of some maps. */
  private void addForMaps(String name, int maps, OnMap layer) {
    for (int[] s : MAPS) {
      OperationCase.Builder builder =
          OperationCase.of("%s %dx%dx%dx%d".formatted(name, s[0], s[1], s[2], s[3]));
      for (int i = 0; i < maps; i++) {
        builder.map(s[0], s[1], s[2], s[3]);
      }
      cases.add(builder.gives((l, in) -> in.map(0).with(layer.apply(l, in))));
    }
  }

  private void addElementwise() {
    for (Activation activation : Activation.values()) {
      if (activation != Activation.IDENTITY) {
        addForMaps(
            "activation " + activation, 1, (l, in) -> l.activation(in.map(0).values(), activation));
      }
    }
    addForMaps("affine", 1, (l, in) -> l.affine(in.map(0).values(), -0.3, 2));
    addForMaps("add", 2, (l, in) -> l.add(in.map(0).values(), in.map(1).values()));
    addForMaps("add to itself", 1, (l, in) -> l.add(in.map(0).values(), in.map(0).values()));
    addForMaps("multiply", 2, (l, in) -> l.multiply(in.map(0).values(), in.map(1).values()));
    addForMaps(
        "what is used several times",
        1,
        (l, in) -> {
          SDVariable h = in.map(0).values();
          SDVariable a = l.activation(h, Activation.SILU);
          return l.add(l.add(l.add(a, h), a), l.multiply(a, h));
        });
    for (int[] s : MAPS) {
      String size = " %dx%dx%dx%d".formatted(s[0], s[1], s[2], s[3]);
      cases.add(
          OperationCase.of("addPerChannel" + size)
              .map(s[0], s[1], s[2], s[3])
              .vector(s[0], s[3])
              .gives((l, in) -> l.addPerChannel(in.map(0), in.vector(0))));
      double[] divisors = {0.02, -3, 90};
      cases.add(
          OperationCase.of("dividePerImage" + size)
              .map(s[0], s[1], s[2], s[3])
              .constant(Arrays.copyOf(divisors, s[0]))
              .gives((l, in) -> l.dividePerImage(in.map(0), in.constant(0))));
      BatchKey key = new BatchKey(0xFEDCBA9876543210L, 12, (1L << 32) - 3, 0xFFFF0001L);
      cases.add(
          OperationCase.of("dropout" + size)
              .map(s[0], s[1], s[2], s[3])
              .keys(key, s[0])
              .gives((l, in) -> l.dropout(in.map(0), in.constant(0), 40_000, 0.3)));
      cases.add(
          OperationCase.of("dropout between others" + size)
              .map(s[0], s[1], s[2], s[3])
              .keys(key, s[0])
              .gives(
                  (l, in) -> {
                    FeatureMap x = in.map(0);
                    x = x.with(l.activation(x.values(), Activation.SILU));
                    x = l.dropout(x, in.constant(0), 1, 0.1);
                    return x.with(l.affine(x.values(), 3, 0));
                  }));
      // One channel alone becomes 0.
      if (s[3] > 1) {
        cases.add(
            OperationCase.of("layerNorm" + size)
                .map(s[0], s[1], s[2], s[3])
                .gives((l, in) -> l.layerNorm(in.map(0), 1e-3)));
      }
      INDArray table =
          Nd4j.linspace(DataType.FLOAT, -1, 0.01, (long) s[1] * s[2] * s[3])
              .reshape(1, s[1], s[2], s[3]);
      cases.add(
          OperationCase.of("addPositions" + size)
              .map(s[0], s[1], s[2], s[3])
              .gives((l, in) -> l.addPositions(in.map(0), table)));
      // Of a single number SameDiff's own depthwise convolution fails.
      if (s[1] * s[2] * s[3] > 1) {
        cases.add(
            OperationCase.of("blur" + size)
                .map(s[0], s[1], s[2], s[3])
                .gives((l, in) -> l.blur(in.map(0))));
      }
      cases.add(
          OperationCase.of("scaleShiftPerChannel" + size)
              .map(s[0], s[1], s[2], s[3])
              .vector(s[0], 2 * s[3])
              .gives((l, in) -> l.scaleShiftPerChannel(in.map(0), in.vector(0))));
    }
  }

  private void addRearrangements() {
    int[][] channels = {{1, 1}, {3, 5}, {12, 28}, {28, 28}, {8, 24}, {64, 32}, {32, 1}};
    for (int[] c : channels) {
      cases.add(
          OperationCase.of("concatChannels %d and %d".formatted(c[0], c[1]))
              .map(3, 5, 3, c[0])
              .map(3, 5, 3, c[1])
              .gives((l, in) -> l.concatChannels(in.map(0), in.map(1))));
    }
    for (int[] s : new int[][] {{1, 2, 2, 1}, {3, 4, 6, 5}, {1, 14, 14, 28}, {3, 8, 2, 33}}) {
      String size = " %dx%dx%dx%d".formatted(s[0], s[1], s[2], s[3]);
      cases.add(
          OperationCase.of("avgPool2" + size)
              .map(s[0], s[1], s[2], s[3])
              .gives((l, in) -> l.avgPool2(in.map(0))));
      cases.add(
          OperationCase.of("maxPool2" + size)
              .mapWithoutTies(s[0], s[1], s[2], s[3])
              .gives((l, in) -> l.maxPool2(in.map(0))));
      cases.add(
          OperationCase.of("upsampleNearest2" + size)
              .map(s[0], s[1], s[2], s[3])
              .gives((l, in) -> l.upsampleNearest2(in.map(0))));
    }
    for (int[] s : MAPS) {
      cases.add(
          OperationCase.of("channels last and first %dx%dx%dx%d".formatted(s[0], s[1], s[2], s[3]))
              .map(s[0], s[1], s[2], s[3])
              .gives((l, in) -> in.map(0)));
    }
  }

  private void addAttentions() {
    int[][] sizes = {
      // n, h, w, heads, width
      {1, 1, 1, 1, 1},
      {1, 1, 1, 2, 4},
      {3, 3, 4, 2, 5},
      {1, 7, 7, 4, 32},
      {3, 5, 5, 4, 32},
      {1, 14, 14, 1, 8},
      {1, 9, 8, 1, 64},
      {1, 5, 4, 1, 256},
      {1, 3, 3, 2, 100},
    };
    for (int[] s : sizes) {
      int features = s[3] * s[4];
      String size = " %dx%dx%d, %d heads of %d".formatted(s[0], s[1], s[2], s[3], s[4]);
      cases.add(
          OperationCase.of("attention" + size)
              .map(s[0], s[1], s[2], 3 * features)
              .gives((l, in) -> l.attention(in.map(0), s[3])));
      cases.add(
          OperationCase.of("attention of parts" + size)
              .map(s[0], s[1], s[2], features)
              .map(s[0], s[1], s[2], features)
              .map(s[0], s[1], s[2], features)
              .gives((l, in) -> l.attention(in.map(0), in.map(1), in.map(2), s[3])));
      cases.add(
          OperationCase.of("linearAttention" + size)
              .map(s[0], s[1], s[2], 3 * features)
              .gives((l, in) -> l.linearAttention(in.map(0), s[3])));
      cases.add(
          OperationCase.of("linearAttention with a memory" + size)
              .map(s[0], s[1], s[2], 3 * features)
              .parameter(2, 2, s[3], s[4])
              .gives(
                  (l, in) -> {
                    FeatureMap longer =
                        l.prependMemory(in.map(0), in.parameter(0), 2, 2 * features);
                    return l.dropMemory(l.linearAttention(longer, s[3]), s[1], s[2]);
                  }));
    }
  }

  private void addVectors() {
    int[][] sizes = {{1, 3, 2}, {3, 10, 7}, {1, 112, 28}, {17, 28, 112}, {33, 40, 65}};
    for (int[] s : sizes) {
      for (Activation activation : Activation.values()) {
        cases.add(
            OperationCase.of("linear %dx%d to %d, %s".formatted(s[0], s[1], s[2], activation))
                .vector(s[0], s[1])
                .parameter(s[1], s[2])
                .parameter(s[2])
                .gives(
                    (l, in) ->
                        l.linear(in.vector(0), in.parameter(0), in.parameter(1), activation)));
      }
    }
    for (int[] s : sizes) {
      cases.add(
          OperationCase.of("two linears of one vector %dx%d to %d".formatted(s[0], s[1], s[2]))
              .vector(s[0], s[1])
              .parameter(s[1], s[2])
              .parameter(s[2])
              .parameter(s[1], s[2])
              .parameter(s[2])
              .gives(
                  (l, in) -> {
                    SDVariable v = in.vector(0);
                    SDVariable first =
                        l.linear(v, in.parameter(0), in.parameter(1), Activation.IDENTITY);
                    SDVariable second =
                        l.linear(v, in.parameter(2), in.parameter(3), Activation.IDENTITY);
                    return l.add(first, second);
                  }));
    }
    for (int[] s : new int[][] {{1, 1}, {3, 7}, {3, 1030}}) {
      String size = " of vectors %dx%d".formatted(s[0], s[1]);
      for (Activation activation : Activation.values()) {
        if (activation != Activation.IDENTITY) {
          cases.add(
              OperationCase.of("activation " + activation + size)
                  .vector(s[0], s[1])
                  .gives((l, in) -> l.activation(in.vector(0), activation)));
        }
      }
      cases.add(
          OperationCase.of("add" + size)
              .vector(s[0], s[1])
              .vector(s[0], s[1])
              .gives((l, in) -> l.add(in.vector(0), in.vector(1))));
      cases.add(
          OperationCase.of("multiply" + size)
              .vector(s[0], s[1])
              .vector(s[0], s[1])
              .gives((l, in) -> l.multiply(in.vector(0), in.vector(1))));
      cases.add(
          OperationCase.of("affine" + size)
              .vector(s[0], s[1])
              .gives((l, in) -> l.affine(in.vector(0), 0.7, -1)));
    }
    for (int[] s : new int[][] {{1, 1}, {5, 32}, {3, 1030}}) {
      cases.add(
          OperationCase.of("embedding of %d labels, %d wide".formatted(s[0], s[1]))
              .constant(0, 2, s[0] - 1, 2, 0)
              .parameter(Math.max(s[0], 3), s[1])
              .gives((l, in) -> l.embedding(in.constant(0), in.parameter(0), Math.max(s[0], 3))));
    }
    for (Frequencies.Order order : Frequencies.Order.values()) {
      for (int shift : new int[] {0, 1}) {
        for (int width : new int[] {4, 28, 128}) {
          cases.add(
              OperationCase.of("sinusoidalEmbedding %d, %d, %s".formatted(width, shift, order))
                  .constant(0, 1, 37, 999)
                  .vector(4, width)
                  .gives(
                      (l, in) ->
                          l.add(
                              l.sinusoidalEmbedding(
                                  in.constant(0), new Frequencies(width, shift, order)),
                              in.vector(0))));
        }
      }
    }
    for (int width : new int[] {1, 5, 28}) {
      cases.add(
          OperationCase.of("split and concat " + width)
              .vector(3, 3 * width)
              .gives(
                  (l, in) -> {
                    SDVariable[] parts = l.split(in.vector(0), 3, width);
                    SDVariable product = l.multiply(parts[0], parts[2]);
                    return l.concat(parts[1], l.concat(product, parts[0], width), width);
                  }));
    }
    cases.add(
        OperationCase.of("unpatchify")
            .map(3, 2, 3, 12)
            .gives((l, in) -> l.unpatchify(in.map(0), 2, 3)));
    cases.add(
        OperationCase.of("learnedSinusoids")
            .constant(0, 1, 90.5)
            .parameter(6)
            .gives((l, in) -> l.learnedSinusoids(in.constant(0), in.parameter(0))));
    cases.add(
        OperationCase.of("fourierEmbedding")
            .constant(0.02, 1, 90)
            .vector(3, 10)
            .gives(
                (l, in) -> {
                  SDVariable t = in.constant(0);
                  INDArray f = Nd4j.createFromArray(-17, 0.5, 3, 0.01, 21).castTo(t.dataType());
                  SDVariable frequencies = t.getSameDiff().constant(f);
                  return l.multiply(l.fourierEmbedding(t, frequencies), in.vector(0));
                }));
    cases.add(
        OperationCase.of("timeFraction")
            .constant(0, 1, 199)
            .vector(3, 1)
            .gives((l, in) -> l.multiply(l.timeFraction(in.constant(0), 200), in.vector(0))));
  }

  private void addLosses() {
    for (LossFunction loss : LossFunction.values()) {
      for (int[] s : MAPS) {
        cases.add(
            OperationCase.of("loss %s %dx%dx%dx%d".formatted(loss, s[0], s[1], s[2], s[3]))
                .map(s[0], s[1], s[2], s[3])
                .map(s[0], s[1], s[2], s[3])
                .givesLosses((l, in) -> l.lossPerImage(in.map(0), in.map(1), loss)));
      }
    }
  }

  /** The last step of the first image, another of the others. */
  private static INDArray coefficients(int images, boolean learned) {
    double h = learned ? 0.75 : 0;
    double[] rows = new double[images * BoundLoss.Coefficients.COUNT];
    for (int n = 0; n < images; n++) {
      double[] row = {1.5 - n, h / (n + 1), 2, n == 0 ? 1 : 0, 3, 0.5};
      System.arraycopy(row, 0, rows, n * row.length, row.length);
    }
    return Nd4j.createFromArray(rows).reshape(images, BoundLoss.Coefficients.COUNT);
  }

  /** With densities; {@link BoundKernelsTest} has the bins of pixels. */
  private void addBounds() {
    List<Optional<LossFunction>> errors =
        List.of(Optional.empty(), Optional.of(LossFunction.L2), Optional.of(LossFunction.HUBER));
    for (Optional<LossFunction> error : errors) {
      for (boolean learned : new boolean[] {true, false}) {
        for (int[] s : new int[][] {{1, 1, 1, 1}, {3, 5, 7, 3}, {2, 4, 6, 12}}) {
          String name =
              "bound %s %s %dx%dx%dx%d"
                  .formatted(error, learned ? "learned" : "fixed", s[0], s[1], s[2], s[3]);
          OperationCase.Builder builder = OperationCase.of(name).map(s[0], s[1], s[2], s[3]);
          if (learned) {
            builder.map(s[0], s[1], s[2], s[3]);
          }
          INDArray target = OperationCase.of(name + " target").map(s[0], s[1], s[2], s[3]).first();
          INDArray x0 = OperationCase.of(name + " x0").map(s[0], s[1], s[2], s[3]).first();
          cases.add(
              builder
                  .constant(target)
                  .constant(x0)
                  .constant(coefficients(s[0], learned))
                  .constant(builder.first())
                  .givesLosses(
                      (l, in) ->
                          l instanceof FusedLayers
                              ? fusedBound(l, in, new BoundLoss(error, List.of()))
                              : stockBound(in, error)));
        }
      }
    }
  }

  private static SDVariable fusedBound(Layers l, OperationCase.Inputs in, BoundLoss loss) {
    FeatureMap answer = in.maps().size() == 1 ? in.map(0) : l.concatChannels(in.map(0), in.map(1));
    SDVariable target = in.constant(0);
    return new BoundPerImage(
            target.getSameDiff(), answer.values(), target, in.constant(1), in.constant(2), loss)
        .outputVariable();
  }

  /**
   * Nichol and Dhariwal 2021, eq. 4 to 6 and 16, of an error of the mean in units of the least
   * deviation and the variance in units of the least one. The fourth constant is the prediction
   * where no gradient goes.
   */
  private static SDVariable stockBound(OperationCase.Inputs in, Optional<LossFunction> error) {
    SameDiff graph = in.constant(0).getSameDiff();
    SDVariable[] k = new SDVariable[BoundLoss.Coefficients.COUNT];
    for (int i = 0; i < k.length; i++) {
      INDArray one = Nd4j.zeros(DataType.DOUBLE, k.length, 1).putScalar(i, 0, 1);
      k[i] = in.constant(2).mmul(graph.constant(one)).reshape(-1, 1, 1, 1);
    }
    SDVariable target = in.constant(0).permute(0, 2, 3, 1);
    SDVariable e = in.map(0).values().sub(target);
    SDVariable ofMean = error.isEmpty() ? e : in.constant(3).permute(0, 2, 3, 1).sub(target);
    SDVariable z = ofMean.mul(k[0]);
    SDVariable logVariance = in.maps().size() == 1 ? z.mul(0) : in.map(1).values().add(1).mul(k[1]);
    SDVariable variance = graph.math().exp(logVariance);
    SDVariable square = graph.math().square(z).div(variance);
    SDVariable divergence =
        logVariance.add(graph.math().reciprocal(variance)).sub(1).add(square).mul(0.5);
    SDVariable density =
        square.add(logVariance).mul(0.5).add(Math.log(2 * Math.PI) / 2).sub(graph.math().log(k[2]));
    SDVariable nats = density.mul(k[3]).add(divergence.mul(k[3].rsub(1)));
    SDVariable loss = nats.mul(k[4]);
    if (error.isPresent()) {
      SDVariable magnitude = graph.math().abs(e);
      SDVariable clipped = graph.math().clipByValue(magnitude, 0, 1);
      SDVariable simple =
          error.get() == LossFunction.L2
              ? graph.math().square(e)
              : graph.math().square(clipped).mul(0.5).add(magnitude.sub(clipped));
      loss = loss.add(simple.mul(k[5]));
    }
    return loss.mean(1, 2, 3);
  }
}
