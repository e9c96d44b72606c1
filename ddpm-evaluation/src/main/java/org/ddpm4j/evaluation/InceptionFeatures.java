package org.ddpm4j.evaluation;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.ddpm4j.diffusion.arithmetic.Views;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.weights.WeightsFile;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The 2048 features of InceptionV3 in which papers report FIDs, so that their numbers can be
 * compared with ours.
 *
 * <p>The weights are those that pytorch-fid and torch-fidelity publish ({@code
 * pt_inception-2015-12-05-6726825d.pth} and {@code weights-inception-2015-12-05-6726825d.pth}, 95
 * MB), made from the TensorFlow graph of Heusel et al. 2017. As in that graph images are resized to
 * 299x299 bilinearly from the corner, without a half pixel's shift and without smoothing, and their
 * pixels p become (p - 128)/128. Grey images are given three times.
 */
public final class InceptionFeatures implements FeatureExtractor {

  /** Of images that are in memory at 299x299 in one go. */
  private static final int IMAGES_AT_ONCE = 16;

  private static final int CHANNELS = 3;

  private final InceptionV3 network;
  private final INDArray logits;

  private InceptionFeatures(InceptionV3 network, INDArray logits) {
    this.network = network;
    this.logits = logits;
  }

  /**
   * Reads the published weights.
   *
   * @param file a PyTorch file or safetensors
   * @return the extractor
   * @throws IOException if the file cannot be read or holds other weights
   */
  public static InceptionFeatures read(Path file) throws IOException {
    try (TensorReader reader = WeightsFile.open(file)) {
      Map<String, INDArray> weights = reader.tensors();
      return of((name, shape) -> weight(weights, name, shape));
    } catch (IllegalArgumentException e) {
      throw new IOException(
          Text.format(
              "%s does not have the weights of InceptionV3 that FIDs are computed with: %s Take"
                  + " pt_inception-2015-12-05-6726825d.pth, which pytorch-fid publishes.",
              file, e.getMessage()),
          e);
    }
  }

  /**
   * A network of given weights.
   *
   * @param weights by the names of pytorch-fid
   * @return the extractor
   * @throws IllegalArgumentException if a weight is missing or of another shape
   */
  static InceptionFeatures of(InceptionV3.Weights weights) {
    INDArray logits = weights.get("fc.weight", InceptionV3.CLASSES, InceptionV3.FEATURES);
    InceptionV3 network = new InceptionV3(weights);
    return new InceptionFeatures(network, logits.castTo(DataType.FLOAT).transpose().dup('c'));
  }

  private static INDArray weight(Map<String, INDArray> weights, String name, long... shape) {
    INDArray weight = weights.get(name);
    if (weight == null) {
      throw new IllegalArgumentException(Text.format("There is no %s.", name));
    }
    if (!Arrays.equals(weight.shape(), shape)) {
      throw new IllegalArgumentException(
          Text.format(
              "%s is of shape %s in place of %s.",
              name, Arrays.toString(weight.shape()), Arrays.toString(shape)));
    }
    return weight;
  }

  @Override
  public String name() {
    return Text.format("inception-v3-%08x", network.checksum());
  }

  @Override
  public int dimensions() {
    return InceptionV3.FEATURES;
  }

  /**
   * None: its 1008 outputs are not the classes of any data set here. They count in the inception
   * score all the same.
   */
  @Override
  public List<String> classNames() {
    return List.of();
  }

  @Override
  public Features extract(INDArray pixels) {
    return extract(pixels, IMAGES_AT_ONCE);
  }

  /** As above, so many in one go. */
  Features extract(INDArray pixels, int atOnce) {
    long channels = pixels.size(1);
    if (channels != 1 && channels != CHANNELS) {
      throw new IllegalArgumentException(
          Text.format("InceptionV3 sees grey and coloured images, not %d channel(s).", channels));
    }
    int images = (int) pixels.size(0);
    float[][] values = new float[images][];
    float[][] probabilities = new float[images][];
    for (int first = 0; first < images; first += atOnce) {
      int end = Math.min(images, first + atOnce);
      INDArray found = network.features(resize(Views.images(pixels, first, end)));
      // Without the bias, as the inception scores of papers are computed.
      INDArray classes = Transforms.softmax(found.mmul(logits));
      for (int n = first; n < end; n++) {
        values[n] = found.getRow(n - first).toFloatVector();
        probabilities[n] = classes.getRow(n - first).toFloatVector();
      }
    }
    return new Features(values, probabilities);
  }

  /**
   * As TensorFlow 1 resizes: position i of the result is position i·(old/new) of the image, between
   * two pixels in proportion; behind the last pixel there is the last pixel.
   *
   * @param pixels {@code [N,C,H,W]}, 0 to 255
   * @return {@code [N,3,299,299]}, -1 to 1
   */
  static INDArray resize(INDArray pixels) {
    int images = (int) pixels.size(0);
    int channels = (int) pixels.size(1);
    int height = (int) pixels.size(2);
    int width = (int) pixels.size(3);
    int size = InceptionV3.SIZE;
    float[] given = pixels.castTo(DataType.FLOAT).dup('c').data().asFloat();
    float[] resized = new float[images * CHANNELS * size * size];
    int at = 0;
    for (int n = 0; n < images; n++) {
      for (int c = 0; c < CHANNELS; c++) {
        int plane = (n * channels + c % channels) * height * width;
        for (int i = 0; i < size; i++) {
          float y = i * ((float) height / size);
          int top = (int) y;
          int bottom = Math.min(top + 1, height - 1);
          for (int j = 0; j < size; j++) {
            float x = j * ((float) width / size);
            int left = (int) x;
            int right = Math.min(left + 1, width - 1);
            float above =
                between(
                    given[plane + top * width + left],
                    given[plane + top * width + right],
                    x - left);
            float below =
                between(
                    given[plane + bottom * width + left],
                    given[plane + bottom * width + right],
                    x - left);
            resized[at++] = (between(above, below, y - top) - 128) / 128;
          }
        }
      }
    }
    return Nd4j.create(resized, new long[] {images, CHANNELS, size, size}, 'c');
  }

  private static float between(float a, float b, float share) {
    return a + (b - a) * share;
  }

  /** Nothing to do: the arrays of a SameDiff graph go with it. */
  @Override
  public void close() {}
}
