package org.ddpm4j.evaluation;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What an extractor has found in the real images that others are compared with: the statistics of
 * all of them, those of each class, and the features of some, which the kernel distance and the
 * neighbourhoods are of. Made once and kept in a file.
 *
 * @param extractor its {@link FeatureExtractor#name}
 * @param source which images, for people
 * @param fingerprint which images, for programs
 * @param statistics of all images
 * @param byClass of the images of each class; empty where there are none, or features are so long
 *     that a class has too few images for them
 * @param classNames of the classes
 * @param some features of some of the images, evenly spread
 * @param labels of these
 */
public record ReferenceFeatures(
    String extractor,
    String source,
    String fingerprint,
    FeatureStatistics statistics,
    List<FeatureStatistics> byClass,
    List<String> classNames,
    Features some,
    List<Integer> labels) {

  /** Of so many images features are kept, as in the papers. */
  public static final int SOME = 10_000;

  /** A class with fewer images than features would have a singular covariance. */
  private static final int MAX_CLASS_DIMENSIONS = 512;

  private static final String EXTRACTOR = "extractor";
  private static final String SOURCE = "source";
  private static final String FINGERPRINT = "fingerprint";
  private static final String CLASS_NAMES = "class_names";
  private static final String COUNT = "count";
  private static final String MEAN = "mean";
  private static final String SCATTER = "scatter";
  private static final String CLASS = "class.";
  private static final String FEATURES = "features";
  private static final String PROBABILITIES = "probabilities";
  private static final String LABELS = "labels";

  /** Between names of classes, which may have commas and spaces in them. */
  private static final String SEPARATOR = "\n";

  /** Checks that nothing is missing. */
  public ReferenceFeatures {
    Objects.requireNonNull(byClass, "byClass");
    Objects.requireNonNull(classNames, "classNames");
    Objects.requireNonNull(labels, "labels");
    byClass = List.copyOf(byClass);
    classNames = List.copyOf(classNames);
    labels = List.copyOf(labels);
  }

  /**
   * The same features, of images that were found elsewhere.
   *
   * @param newSource which images, for people
   * @return new features
   */
  public ReferenceFeatures withSource(String newSource) {
    return new ReferenceFeatures(
        extractor, newSource, fingerprint, statistics, byClass, classNames, some, labels);
  }

  /**
   * Collects the features of a data set, batch by batch.
   *
   * <p>Not thread-safe.
   */
  public static final class Builder {

    private final FeatureExtractor extractor;
    private final List<String> classNames;
    private final int size;
    private final boolean withClasses;
    private FeatureStatistics all;
    private final FeatureStatistics[] byClass;
    private final List<float[]> values = new ArrayList<>();
    private final List<float[]> probabilities = new ArrayList<>();
    private final List<Integer> labels = new ArrayList<>();
    private int seen;

    /**
     * Of a data set.
     *
     * @param extractor finds the features
     * @param classNames of the images' classes
     * @param size how many images there will be, at least 2
     * @throws IllegalArgumentException if there are fewer
     */
    public Builder(FeatureExtractor extractor, List<String> classNames, int size) {
      Objects.requireNonNull(classNames, "classNames");
      Objects.requireNonNull(extractor, "extractor");
      if (size < 2) {
        throw new IllegalArgumentException(
            Text.format("A reference of %d images has no covariance; give at least 2.", size));
      }
      this.extractor = extractor;
      this.classNames = List.copyOf(classNames);
      this.size = size;
      withClasses = classNames.size() > 1 && extractor.dimensions() <= MAX_CLASS_DIMENSIONS;
      all = FeatureStatistics.empty(extractor.dimensions());
      byClass = new FeatureStatistics[withClasses ? classNames.size() : 0];
      Arrays.fill(byClass, all);
    }

    /**
     * Adds the next images.
     *
     * @param pixels as {@link FeatureExtractor#extract} takes them
     * @param batchLabels the class of each
     * @throws IllegalArgumentException if there are not as many of both
     */
    public void add(INDArray pixels, int... batchLabels) {
      if (Objects.requireNonNull(batchLabels, "batchLabels").length
          != Objects.requireNonNull(pixels, "pixels").size(0)) {
        throw new IllegalArgumentException(
            Text.format(
                "There are %d images and the classes of %d; each image is of one.",
                pixels.size(0), batchLabels.length));
      }
      Features found = extractor.extract(pixels);
      all = all.merge(FeatureStatistics.of(found));
      for (int k = 0; k < byClass.length; k++) {
        int[] ofClass = rowsOf(batchLabels, k);
        if (ofClass.length > 0) {
          byClass[k] = byClass[k].merge(FeatureStatistics.of(found.select(ofClass)));
        }
      }
      int kept = Math.min(SOME, size);
      for (int i = 0; i < found.count(); i++, seen++) {
        // The share of what is to be kept reaches the next whole number.
        if (seen == 0 || (long) seen * kept / size > (long) (seen - 1) * kept / size) {
          values.add(found.values()[i]);
          probabilities.add(found.probabilities()[i]);
          labels.add(batchLabels[i]);
        }
      }
    }

    /**
     * What has been found.
     *
     * @param source which images these were, for people
     * @param fingerprint which images these were, for programs
     * @return the reference
     */
    public ReferenceFeatures build(String source, String fingerprint) {
      return new ReferenceFeatures(
          extractor.name(),
          source,
          fingerprint,
          all,
          List.of(byClass),
          classNames,
          new Features(values.toArray(float[][]::new), probabilities.toArray(float[][]::new)),
          labels);
    }
  }

  static int[] rowsOf(int[] labels, int label) {
    return IntStream.range(0, labels.length).filter(i -> labels[i] == label).toArray();
  }

  /**
   * Writes the features as safetensors.
   *
   * @param file to write or replace
   * @throws IOException if it cannot be written
   */
  public void write(Path file) throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    put(tensors, "", statistics);
    for (int k = 0; k < byClass.size(); k++) {
      put(tensors, CLASS + k + ".", byClass.get(k));
    }
    tensors.put(FEATURES, Nd4j.create(some.values()));
    if (some.classes() > 0) {
      tensors.put(PROBABILITIES, Nd4j.create(some.probabilities()));
    }
    tensors.put(
        LABELS, Nd4j.createFromArray(labels.stream().mapToInt(Integer::intValue).toArray()));
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(EXTRACTOR, extractor);
    metadata.put(SOURCE, source);
    metadata.put(FINGERPRINT, fingerprint);
    metadata.put(CLASS_NAMES, String.join(SEPARATOR, classNames));
    SafetensorsWriter.writeWithChecksum(file, tensors, metadata);
  }

  private static void put(
      Map<String, INDArray> tensors, String prefix, FeatureStatistics statistics) {
    long dimensions = statistics.dimensions();
    tensors.put(prefix + COUNT, Nd4j.createFromArray(new long[] {statistics.count()}));
    tensors.put(
        prefix + MEAN, Nd4j.create(statistics.mean(), new long[] {dimensions}, DataType.DOUBLE));
    tensors.put(
        prefix + SCATTER,
        Nd4j.create(statistics.scatter(), new long[] {dimensions, dimensions}, DataType.DOUBLE));
  }

  /**
   * Reads features that {@link #write} has written.
   *
   * @param file to read
   * @return the features
   * @throws IOException if the file cannot be read or is damaged or none of these
   */
  public static ReferenceFeatures read(Path file) throws IOException {
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      Map<String, String> metadata = reader.metadata();
      if (!metadata.keySet().containsAll(List.of(EXTRACTOR, SOURCE, FINGERPRINT, CLASS_NAMES))) {
        throw new IOException(
            Text.format(
                "%s has no %s, %s, %s and %s among its metadata; expected statistics of a data set that ddpm4j has written, make them anew.",
                file, EXTRACTOR, SOURCE, FINGERPRINT, CLASS_NAMES));
      }
      reader.verifyChecksum();
      var tensors = new Tensors(reader, file);
      long dimensions = tensors.length(MEAN);
      List<FeatureStatistics> byClass = new ArrayList<>();
      for (int k = 0; reader.names().contains(CLASS + k + "." + COUNT); k++) {
        byClass.add(tensors.statistics(CLASS + k + ".", dimensions));
      }
      long[] labels = tensors.wholeNumbers(LABELS, DataType.INT32);
      float[][] values = tensors.rows(FEATURES, labels.length, dimensions);
      float[][] probabilities =
          reader.names().contains(PROBABILITIES)
              ? tensors.rows(PROBABILITIES, labels.length, tensors.width(PROBABILITIES))
              : new float[values.length][0];
      String names = metadata.get(CLASS_NAMES);
      return new ReferenceFeatures(
          metadata.get(EXTRACTOR),
          metadata.get(SOURCE),
          metadata.get(FINGERPRINT),
          tensors.statistics("", dimensions),
          byClass,
          names.isEmpty() ? List.of() : List.of(names.split(SEPARATOR, -1)),
          new Features(values, probabilities),
          LongStream.of(labels).mapToObj(label -> (int) label).toList());
    }
  }

  /**
   * Tensors of a file that must fit together.
   *
   * @param reader of the file
   * @param file for sentences
   */
  private record Tensors(SafetensorsReader reader, Path file) {

    FeatureStatistics statistics(String prefix, long dimensions) throws IOException {
      long[] count = wholeNumbers(prefix + COUNT, DataType.INT64);
      if (count.length != 1 || count[0] < 0) {
        throw wrong("%s is no number of images", prefix + COUNT);
      }
      return new FeatureStatistics(
          count[0],
          numbers(prefix + MEAN, dimensions),
          numbers(prefix + SCATTER, dimensions, dimensions));
    }

    long length(String name) throws IOException {
      long[] shape = shape(name);
      if (shape.length != 1 || shape[0] == 0) {
        throw wrong("%s is of shape %s, expected one axis", name, Arrays.toString(shape));
      }
      return shape[0];
    }

    long width(String name) throws IOException {
      long[] shape = shape(name);
      return shape.length == 0 ? 0 : shape[shape.length - 1];
    }

    private double[] numbers(String name, long... expected) throws IOException {
      double[] numbers = array(name, DataType.DOUBLE, expected).data().asDouble();
      for (double number : numbers) {
        requireFinite(name, number);
      }
      return numbers;
    }

    float[][] rows(String name, long count, long width) throws IOException {
      float[] numbers = array(name, DataType.FLOAT, count, width).data().asFloat();
      float[][] rows = new float[(int) count][(int) width];
      for (int i = 0; i < numbers.length; i++) {
        requireFinite(name, numbers[i]);
        rows[i / (int) width][i % (int) width] = numbers[i];
      }
      return rows;
    }

    long[] wholeNumbers(String name, DataType type) throws IOException {
      return array(name, type, length(name)).data().asLong();
    }

    private INDArray array(String name, DataType type, long... expected) throws IOException {
      long[] shape = shape(name);
      if (!Arrays.equals(shape, expected) || reader.dataType(name) != type) {
        throw wrong(
            "%s is of type %s and shape %s, expected %s and %s",
            name, reader.dataType(name), Arrays.toString(shape), type, Arrays.toString(expected));
      }
      return reader.tensor(name);
    }

    private long[] shape(String name) throws IOException {
      if (!reader.names().contains(name)) {
        throw wrong("there is no %s", name);
      }
      return reader.shape(name);
    }

    private void requireFinite(String name, double number) throws IOException {
      if (!Double.isFinite(number)) {
        throw wrong("%s has a number that is not finite", name);
      }
    }

    private IOException wrong(String what, Object... values) {
      return new IOException(
          Text.format(
              "%s holds no statistics of a data set that ddpm4j has written: %s; make them anew.",
              file, Text.format(what, values)));
    }
  }

  /**
   * The statistics of a class.
   *
   * @param label the class
   * @return its statistics, if they are known and it has at least two images
   */
  public Optional<FeatureStatistics> ofClass(int label) {
    return label < byClass.size() && byClass.get(label).count() > 1
        ? Optional.of(byClass.get(label))
        : Optional.empty();
  }
}
