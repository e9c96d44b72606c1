package org.ddpm4j.evaluation;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The features of a small classifier of images of one size: 64 numbers, which its last layer tells
 * the classes by. Images of other sizes are resized; colours become grey where it sees grey.
 *
 * <p>Two come along: one of grey images of 28x28 pixels, which has learned Fashion-MNIST's training
 * images, and one of coloured images of 32x32 pixels, which has learned emoji. {@link
 * ClassifierTraining} makes others.
 */
public final class ClassifierFeatures implements FeatureExtractor {

  private static final String CLOTHES = "fashion-mnist-classifier.safetensors";
  private static final String EMOJI = "emoji-classifier.safetensors";
  private static final String NAME = "name";
  private static final String CLASS_NAMES = "class_names";
  private static final String CHANNELS = "channels";
  private static final String SIZE = "size";

  /** Between names of classes, which may have commas and spaces in them. */
  private static final String SEPARATOR = "\n";

  private final Unet network;
  private final String name;
  private final List<String> classNames;
  private final FeatureClassifier config;

  /**
   * A trained classifier.
   *
   * @param name of network and weights
   * @param classNames of the classes
   * @param network of a {@link FeatureClassifier} of so many classes, closed with this
   */
  ClassifierFeatures(String name, List<String> classNames, Unet network) {
    this.name = name;
    this.classNames = List.copyOf(classNames);
    this.network = network;
    this.config = (FeatureClassifier) network.config();
  }

  /**
   * The classifier of grey images that comes along, which was trained on Fashion-MNIST's 60,000
   * training images.
   *
   * @param execution how it computes
   * @return the extractor
   * @throws IOException if the resource cannot be read
   */
  public static ClassifierFeatures bundled(Execution execution) throws IOException {
    Objects.requireNonNull(execution, "execution");
    return ofResource(CLOTHES, execution);
  }

  /**
   * The classifier that comes along for images of so many channels: of emoji for those in colour,
   * of clothes for grey ones.
   *
   * @param channels of the images that are compared
   * @param execution how it computes
   * @return the extractor
   * @throws IOException if the resource cannot be read
   */
  public static ClassifierFeatures bundled(int channels, Execution execution) throws IOException {
    Objects.requireNonNull(execution, "execution");
    return ofResource(channels == 3 ? EMOJI : CLOTHES, execution);
  }

  private static ClassifierFeatures ofResource(String resource, Execution execution)
      throws IOException {
    Path file = Files.createTempFile("ddpm4j-", ".safetensors");
    try {
      try (InputStream in = ClassifierFeatures.class.getResourceAsStream(resource)) {
        if (in == null) {
          throw new IOException(
              Text.format(
                  "The resource %s is missing, which ddpm-evaluation brings; build or download it again.",
                  resource));
        }
        Files.write(file, in.readAllBytes());
      }
      return read(file, execution);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  /**
   * Reads a classifier.
   *
   * @param file that {@link #write} has written
   * @param execution how it computes
   * @return the extractor
   * @throws IOException if the file cannot be read or is none of these
   */
  public static ClassifierFeatures read(Path file, Execution execution) throws IOException {
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      String name = reader.metadata().get(NAME);
      String joined = reader.metadata().get(CLASS_NAMES);
      if (name == null || joined == null) {
        throw new IOException(
            Text.format(
                "%s has no %s and %s among its metadata; expected a classifier that ddpm4j has written; name another file.",
                file, NAME, CLASS_NAMES));
      }
      List<String> classNames = List.of(joined.split(SEPARATOR));
      // Classifiers of before there were colours do not say what they see.
      FeatureClassifier config =
          new FeatureClassifier(
              classNames.size(),
              Integer.parseInt(reader.metadata().getOrDefault(CHANNELS, "1")),
              Integer.parseInt(reader.metadata().getOrDefault(SIZE, "28")));
      Unet network = Unet.create(config, DataType.FLOAT, 0, execution);
      try {
        network.parameters().assignPyTorch(reader.tensors());
      } catch (RuntimeException e) {
        network.close();
        throw e;
      }
      return new ClassifierFeatures(name, classNames, network);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          Text.format("%s is no classifier of ddpm4j: %s", file, e.getMessage()), e);
    }
  }

  /**
   * Writes the classifier as safetensors, by PyTorch's names and layouts.
   *
   * @param file to write or replace
   * @param facts what else the file should say, such as what it was trained on
   * @throws IOException if the file cannot be written
   */
  public void write(Path file, Map<String, String> facts) throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>(facts);
    metadata.put("format", "pt");
    metadata.put(NAME, name);
    metadata.put(CLASS_NAMES, String.join(SEPARATOR, classNames));
    metadata.put(CHANNELS, Integer.toString(config.channels()));
    metadata.put(SIZE, Integer.toString(config.size()));
    SafetensorsWriter.writeWithChecksum(file, network.parameters().toPyTorch(), metadata);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int dimensions() {
    return FeatureClassifier.FEATURES;
  }

  @Override
  public List<String> classNames() {
    return classNames;
  }

  @Override
  public Features extract(INDArray pixels) {
    int images = (int) pixels.size(0);
    int classes = classNames.size();
    double[] output = network.predict(input(config.fit(pixels))).dup('c').data().asDouble();
    int width = FeatureClassifier.FEATURES + classes;
    float[][] values = new float[images][FeatureClassifier.FEATURES];
    float[][] probabilities = new float[images][classes];
    for (int n = 0; n < images; n++) {
      int logits = n * width + FeatureClassifier.FEATURES;
      for (int j = 0; j < FeatureClassifier.FEATURES; j++) {
        values[n][j] = (float) output[n * width + j];
      }
      double[] softmax = Softmax.of(output, logits, classes);
      for (int k = 0; k < classes; k++) {
        probabilities[n][k] = (float) softmax[k];
      }
    }
    return new Features(values, probabilities);
  }

  /** Pixels of 0 to 255 as the network sees them, in [-1,1], with timesteps that it ignores. */
  static UnetInput input(INDArray pixels) {
    return UnetInput.of(
        pixels.castTo(DataType.FLOAT).div(127.5).subi(1),
        Nd4j.zeros(DataType.FLOAT, pixels.size(0)));
  }

  @Override
  public void close() {
    network.close();
  }
}
