package org.ddpm4j.unet.layers;

import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.LossFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The operations that U-Nets are made of, on the variables of one SameDiff graph.
 *
 * <p>A network is written once against this interface. Implementations differ in how they compute,
 * never in what: {@link ReferenceLayers} uses stock SameDiff operations and runs on any backend,
 * {@link FusedLayers} uses operations of our own and runs on a CPU.
 *
 * <p>Feature maps are {@code [N,H,W,C]}. Weights are in SameDiff's own layouts, given with each
 * method; {@link WeightLayout} relates them to PyTorch's.
 */
public interface Layers {

  /**
   * Two-dimensional convolution (cross-correlation, as everywhere in deep learning) with zero
   * padding.
   *
   * @param x input, {@code [N,H,W,iC]}
   * @param weight {@code [kH,kW,iC,oC]}
   * @param bias {@code [oC]}, or null for none
   * @param shape kernel size, stride and padding
   * @param outChannels oC
   * @return {@code [N,(H+p+q-k)/s+1,(W+p+q-k)/s+1,oC]} with the paddings p and q
   */
  FeatureMap conv2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape, int outChannels);

  /**
   * Transposed convolution: the gradient of {@link #conv2d} with respect to its input.
   *
   * @param x input, {@code [N,H,W,iC]}
   * @param weight {@code [kH,kW,oC,iC]}
   * @param bias {@code [oC]}
   * @param shape kernel size, stride and symmetric padding
   * @param outChannels oC
   * @return {@code [N,(H-1)s-2p+k,(W-1)s-2p+k,oC]}
   * @throws IllegalArgumentException if the padding is not symmetric
   */
  FeatureMap convTranspose2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape, int outChannels);

  /**
   * Depthwise convolution: every channel has a kernel of its own.
   *
   * @param x input, {@code [N,H,W,C]}
   * @param weight {@code [kH,kW,C,1]}
   * @param bias {@code [C]}
   * @param shape kernel size, stride and symmetric padding
   * @return {@code [N,(H+2p-k)/s+1,(W+2p-k)/s+1,C]}
   * @throws IllegalArgumentException if the padding is not symmetric
   */
  FeatureMap depthwiseConv2d(FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape);

  /**
   * Group normalisation (Wu and He 2018) followed by an activation: within each image and group of
   * channels the mean is removed and the standard deviation, {@code sqrt(variance + epsilon)} with
   * the biased variance, divided out; then each channel is scaled and shifted.
   *
   * @param x input, {@code [N,H,W,C]}
   * @param weight scale, {@code [C]}
   * @param bias shift, {@code [C]}
   * @param groups number of groups, a divisor of C
   * @param epsilon added to the variance
   * @param activation applied last
   * @return {@code [N,H,W,C]}
   */
  FeatureMap groupNorm(
      FeatureMap x,
      SDVariable weight,
      SDVariable bias,
      int groups,
      double epsilon,
      Activation activation);

  /**
   * Root mean square normalisation over the channels of each position (Zhang and Sennrich 2019), as
   * PyTorch's {@code normalize} makes it: no mean is removed, and nothing is added to the length.
   *
   * @param x input, {@code [N,H,W,C]}
   * @param gain {@code [C]}
   * @return {@code x·gain·√C / max(‖x‖, 1e-12)}, {@code [N,H,W,C]}
   */
  FeatureMap rmsNorm(FeatureMap x, SDVariable gain);

  /**
   * Fully connected layer.
   *
   * @param x input, {@code [N,in]}
   * @param weight {@code [in,out]}
   * @param bias {@code [out]}
   * @param activation applied last
   * @return {@code [N,out]}
   */
  SDVariable linear(SDVariable x, SDVariable weight, SDVariable bias, Activation activation);

  /**
   * Looks up rows of a table.
   *
   * @param labels whole numbers from 0 to count-1, {@code [N]}; their gradient is zero
   * @param weight the table, {@code [count,width]}
   * @param count number of rows
   * @return {@code [N,width]}
   */
  SDVariable embedding(SDVariable labels, SDVariable weight, int count);

  /**
   * A point-wise activation.
   *
   * @param x input of any shape
   * @param activation the function
   * @return same shape as x
   */
  SDVariable activation(SDVariable x, Activation activation);

  /**
   * Dropout (Srivastava et al. 2014): each element becomes 0 with a probability p, and else is
   * divided by 1 - p. Which, is a function of the image's key, the layer and the element's place,
   * as {@link org.ddpm4j.kernels.ops.Dropout} says.
   *
   * @param x features, {@code [N,H,W,C]}
   * @param keys of the images, as {@link org.ddpm4j.kernels.random.BatchKey#rows} has them, {@code
   *     [N,9]}; their gradient is zero
   * @param layer which of the network's dropouts this is, zero-based
   * @param probability p, in [0,1)
   * @return {@code [N,H,W,C]}
   */
  FeatureMap dropout(FeatureMap x, SDVariable keys, int layer, double probability);

  /**
   * Adds one value per image and channel at every position: how a network is told the time.
   *
   * @param x features, {@code [N,H,W,C]}
   * @param perChannel {@code [N,C]}
   * @return {@code [N,H,W,C]}
   */
  FeatureMap addPerChannel(FeatureMap x, SDVariable perChannel);

  /**
   * Scales and shifts each image's channels: the stronger way of telling a network the time ("scale
   * shift", Dhariwal and Nichol 2021, section 3.1).
   *
   * @param x features, {@code [N,H,W,C]}
   * @param scalesAndShifts the scales and behind them the shifts, {@code [N,2C]}
   * @return {@code x·(1 + scale) + shift}, {@code [N,H,W,C]}
   */
  FeatureMap scaleShiftPerChannel(FeatureMap x, SDVariable scalesAndShifts);

  /**
   * An affine function with constants, element by element.
   *
   * @param x any shape
   * @param factor of every element
   * @param summand added to every product
   * @return {@code factor·x + summand}, the same shape
   */
  SDVariable affine(SDVariable x, double factor, double summand);

  /**
   * Sum of two arrays of one shape.
   *
   * @param a any shape
   * @param b the same shape
   * @return the same shape
   */
  SDVariable add(SDVariable a, SDVariable b);

  /**
   * Sum of two feature maps of one shape.
   *
   * @param a {@code [N,H,W,C]}
   * @param b {@code [N,H,W,C]}
   * @return {@code [N,H,W,C]}
   */
  default FeatureMap add(FeatureMap a, FeatureMap b) {
    return a.with(add(a.values(), b.values()));
  }

  /**
   * Product of two arrays of one shape, element by element.
   *
   * @param a any shape
   * @param b the same shape
   * @return the same shape
   */
  SDVariable multiply(SDVariable a, SDVariable b);

  /**
   * Concatenation along the channels.
   *
   * @param a {@code [N,H,W,A]}
   * @param b {@code [N,H,W,B]}
   * @return {@code [N,H,W,A+B]}, the channels of a first
   */
  FeatureMap concatChannels(FeatureMap a, FeatureMap b);

  /**
   * Puts learned positions before those of each image, for attention to look at as at any other
   * (Sukhbaatar et al. 2019): what they hold are the last channels, keys and values, and what is
   * before these, the queries, is zero.
   *
   * @param x {@code [N,H,W,C]}
   * @param memory {@code [M,…]}
   * @param rows M
   * @param width the numbers of a row, at most C
   * @return {@code [N,1,M+H·W,C]}
   */
  FeatureMap prependMemory(FeatureMap x, SDVariable memory, int rows, int width);

  /**
   * Takes away the first positions, which {@link #prependMemory} has put there.
   *
   * @param x {@code [N,1,M+height·width,C]}
   * @param height of what is left
   * @param width of what is left
   * @return {@code [N,height,width,C]}
   */
  FeatureMap dropMemory(FeatureMap x, int height, int width);

  /**
   * Means over squares of two by two positions.
   *
   * @param x {@code [N,H,W,C]}
   * @return {@code [N,H/2,W/2,C]}
   * @throws IllegalArgumentException if the height or width is odd
   */
  FeatureMap avgPool2(FeatureMap x);

  /**
   * The largest of squares of two by two positions. The gradient goes to the largest position, the
   * first one where several are.
   *
   * @param x {@code [N,H,W,C]}
   * @return {@code [N,H/2,W/2,C]}
   * @throws IllegalArgumentException if the height or width is odd
   */
  FeatureMap maxPool2(FeatureMap x);

  /**
   * Repeats every position in a square of two by two.
   *
   * @param x {@code [N,H,W,C]}
   * @return {@code [N,2H,2W,C]}
   */
  FeatureMap upsampleNearest2(FeatureMap x);

  /**
   * Scaled dot-product attention between the positions of each image (Vaswani et al. 2017, eq. 1).
   *
   * @param qkv queries, keys and values side by side along the channels, each {@code heads·d} wide
   *     with the heads outermost: {@code [N,H,W,3·heads·d]}
   * @param heads number of heads
   * @return {@code [N,H,W,heads·d]}
   */
  FeatureMap attention(FeatureMap qkv, int heads);

  /**
   * The same attention, of queries, keys and values that come from different layers.
   *
   * @param queries with the heads outermost along the channels: {@code [N,H,W,heads·d]}
   * @param keys in the same way
   * @param values in the same way
   * @param heads number of heads
   * @return {@code [N,H,W,heads·d]}
   */
  FeatureMap attention(FeatureMap queries, FeatureMap keys, FeatureMap values, int heads);

  /**
   * Attention whose cost is linear in the number of positions (Shen et al. 2018): queries are
   * normalised by softmax over their features and divided by {@code sqrt(d)}, keys by softmax over
   * the positions, and each query reads the same {@code [d,d]} summary of keys and values.
   *
   * @param qkv as in {@link #attention}
   * @param heads number of heads
   * @return {@code [N,H,W,heads·d]}
   */
  FeatureMap linearAttention(FeatureMap qkv, int heads);

  /**
   * Sinusoidal embedding of the timesteps (Vaswani et al. 2017, section 3.5, as in Ho et al. 2020):
   * {@code [sin(t·f_0), …, sin(t·f_{h-1}), cos(t·f_0), …]}, or the cosines first.
   *
   * @param t timesteps, {@code [N]}
   * @param frequencies f, and the order
   * @return {@code [N,width]}
   */
  SDVariable sinusoidalEmbedding(SDVariable t, Frequencies frequencies);

  /**
   * Layer normalisation of every position's channels, without scale and shift (Ba et al. 2016).
   *
   * @param x features, {@code [N,H,W,C]}
   * @param epsilon added to the variance
   * @return {@code [N,H,W,C]}
   */
  FeatureMap layerNorm(FeatureMap x, double epsilon);

  /**
   * Adds the same numbers to every image: how a transformer is told positions.
   *
   * @param x features, {@code [N,H,W,C]}
   * @param table {@code [1,H,W,C]}; a constant of the network
   * @return {@code [N,H,W,C]}
   */
  FeatureMap addPositions(FeatureMap x, INDArray table);

  /**
   * Cuts vectors into parts of one width.
   *
   * @param x {@code [N,parts·width]}
   * @param parts how many, at least 2; all are to be used
   * @param width of each
   * @return the parts in their order, {@code [N,width]} each
   */
  SDVariable[] split(SDVariable x, int parts, int width);

  /**
   * Vectors side by side.
   *
   * @param a {@code [N,A]}
   * @param b {@code [N,B]}
   * @param widthOfA A
   * @return {@code [N,A+B]}
   */
  SDVariable concat(SDVariable a, SDVariable b, int widthOfA);

  /**
   * Rearranges squares that lie along the channels: the inverse of cutting images into patches.
   *
   * @param x {@code [N,H,W,p·p·C]}, of each patch row by row the channels of its positions
   * @param size p
   * @param channels C
   * @return {@code [N,p·H,p·W,C]}
   */
  FeatureMap unpatchify(FeatureMap x, int size, int channels);

  /**
   * Fourier features of noise levels (Song et al. 2021b, appendix H.2): {@code [sin(2π f log t),
   * cos(2π f log t)]}.
   *
   * @param t noise levels above 0, {@code [N]}
   * @param frequencies f, which training does not change, {@code [C]}
   * @return {@code [N,2C]}, the sines first
   */
  SDVariable fourierEmbedding(SDVariable t, SDVariable frequencies);

  /**
   * Timesteps with sines and cosines of them, whose frequencies may be learned (Tancik et al.
   * 2020): {@code [t, sin(2π f t), cos(2π f t)]}.
   *
   * @param t timesteps, {@code [N]}; their gradient is zero
   * @param frequencies f, {@code [C]}
   * @return {@code [N,1+2C]}
   */
  SDVariable learnedSinusoids(SDVariable t, SDVariable frequencies);

  /**
   * Divides every image by a number of its own.
   *
   * @param x features, {@code [N,H,W,C]}
   * @param divisors {@code [N]}; their gradient is zero
   * @return {@code x/divisor}, {@code [N,H,W,C]}
   */
  FeatureMap dividePerImage(FeatureMap x, SDVariable divisors);

  /**
   * Blurs each channel by the filter (1,2,1)/4 in both directions, with zeros around the image.
   * Behind repetition, or before means over squares, it makes the resampling by the filter
   * (1,3,3,1) of StyleGAN2 (Karras et al. 2020) and NCSN++.
   *
   * @param x features, {@code [N,H,W,C]}
   * @return {@code [N,H,W,C]}
   */
  FeatureMap blur(FeatureMap x);

  /**
   * Timesteps as parts of their number.
   *
   * @param t timesteps, {@code [N]}
   * @param timesteps how many there are, at least 1
   * @return {@code t/timesteps}, {@code [N,1]}
   */
  SDVariable timeFraction(SDVariable t, int timesteps);

  /**
   * From the layout of the outside to that of the inside.
   *
   * @param x {@code [N,C,H,W]}
   * @param channels C
   * @param height H
   * @param width W
   * @return {@code [N,H,W,C]}
   */
  FeatureMap toChannelsLast(SDVariable x, int channels, int height, int width);

  /**
   * From the layout of the inside to that of the outside.
   *
   * @param x {@code [N,H,W,C]}
   * @return {@code [N,C,H,W]}
   */
  SDVariable toChannelsFirst(FeatureMap x);

  /**
   * The loss of each image: the mean over its elements of a function of the error.
   *
   * @param prediction {@code [N,H,W,C]}
   * @param target {@code [N,H,W,C]}
   * @param function of the error of one element
   * @return {@code [N]}
   */
  SDVariable lossPerImage(FeatureMap prediction, FeatureMap target, LossFunction function);

  /**
   * The mean over the elements of each image of the products of two maps, whose gradient with
   * respect to one is the other.
   *
   * @param x {@code [N,H,W,C]}
   * @param y {@code [N,H,W,C]}
   * @return {@code [N]}
   */
  SDVariable innerProductPerImage(FeatureMap x, FeatureMap y);

  /**
   * The mean of all elements.
   *
   * @param x any shape
   * @return a scalar
   */
  SDVariable mean(SDVariable x);

  /**
   * Checks that a convolution pads all sides alike.
   *
   * @param shape of a transposed or depthwise convolution
   * @throws IllegalArgumentException if it does not
   */
  default void checkSymmetric(Convolution shape) {
    if (!shape.isSymmetric()) {
      throw new IllegalArgumentException(
          Text.format(
              "Transposed and depthwise convolutions pad all sides alike; the padding cannot be %d and %d.",
              shape.padding(), shape.endPadding()));
    }
  }

  /**
   * Checks that a feature map can be halved.
   *
   * @param x {@code [N,H,W,C]}
   * @throws IllegalArgumentException if its height or width is odd
   */
  default void checkHalves(FeatureMap x) {
    if (x.height() % 2 != 0 || x.width() % 2 != 0) {
      throw new IllegalArgumentException(
          Text.format(
              "Features of %dx%d cannot be pooled in squares of two by two; height and width must be even.",
              x.height(), x.width()));
    }
  }
}
