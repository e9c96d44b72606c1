package org.ddpm4j.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.api.writable.Writable;
import org.ddpm4j.diffusion.ClassNames;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Labelled images of one shape as uint8, usually in memory. Immutable and thread-safe.
 *
 * <p>Parts of a data set ({@link #take}, {@link #select}, {@link #holdOut}, {@link #onlyClass})
 * share its pixels, so that they cost almost no memory.
 *
 * <p>A data set knows by which {@link Normalization} a model sees its pixels: {@link
 * Normalization#SYMMETRIC}, unless it was given another.
 */
public final class ImageDataSet {

  /** What a source begins with that a part is not to repeat: no 10 images of images of a folder. */
  private static final String OF_IMAGES = "images of ";

  private final ImageShape shape;
  private final List<String> classNames;
  private final String source;
  private final PixelSource pixels;
  private final Normalization normalization;
  // [C][256]: what a model sees, looked up rather than computed for each pixel of each batch.
  private final float[][] modelValues;
  // Image i of this data set is image rows[i] of the pixels and has the label labels[i].
  private final int[] rows;
  private final int[] labels;
  // Made at the first call; two threads may both make it, and then make the same.
  private volatile String fingerprint;

  /**
   * A data set cut in two.
   *
   * @param training the images to train on
   * @param heldOut the images kept apart, to measure on
   */
  public record HoldOut(ImageDataSet training, ImageDataSet heldOut) {}

  private ImageDataSet(
      ImageShape shape,
      List<String> classNames,
      String source,
      PixelSource pixels,
      Normalization normalization,
      int[] rows,
      int[] labels) {
    this.shape = shape;
    this.classNames = classNames;
    this.source = source;
    this.pixels = pixels;
    this.normalization = normalization;
    this.rows = rows;
    this.labels = labels;
    modelValues = new float[shape.channels()][256];
    for (int c = 0; c < modelValues.length; c++) {
      for (int pixel = 0; pixel < modelValues[c].length; pixel++) {
        modelValues[c][pixel] = normalization.toModel(pixel, c);
      }
    }
  }

  /**
   * A data set of given pixels.
   *
   * @param shape the shape {@code [C,H,W]} of every image
   * @param pixels {@code [N,C,H,W]}, unsigned bytes, the last axis varying fastest; copied
   * @param labels {@code [N]}, each the number of a class; copied
   * @param classNames the name of each class
   * @param source where the images come from, for people to read
   * @return the data set
   * @throws IllegalArgumentException if there is no image, the lengths do not fit together, or a
   *     label has no class
   */
  public static ImageDataSet of(
      ImageShape shape, byte[] pixels, int[] labels, List<String> classNames, String source) {
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(pixels, "pixels");
    Objects.requireNonNull(labels, "labels");
    if (pixels.length != (long) labels.length * shape.volume()) {
      throw new IllegalArgumentException(
          Text.format(
              "%d label(s) for images of %s need %d pixel(s), but there are %d.",
              labels.length, shape, (long) labels.length * shape.volume(), pixels.length));
    }
    PixelStore store = new PixelStore(shape, labels.length);
    for (int i = 0; i < labels.length; i++) {
      store.put(i, pixels, i * shape.volume());
    }
    int[] rows = IntStream.range(0, labels.length).toArray();
    return sharing(shape, store, rows, labels.clone(), classNames, source);
  }

  /**
   * A data set whose pixels are elsewhere, and are read whenever they are needed.
   *
   * @param shape the shape {@code [C,H,W]} of every image
   * @param pixels of N images
   * @param labels {@code [N]}, each the number of a class; copied
   * @param classNames the name of each class
   * @param source where the images come from, for people to read
   * @return the data set
   * @throws IllegalArgumentException if there is no image, or a label has no class
   */
  public static ImageDataSet of(
      ImageShape shape, PixelSource pixels, int[] labels, List<String> classNames, String source) {
    Objects.requireNonNull(labels, "labels");
    Objects.requireNonNull(classNames, "classNames");
    int[] rows = IntStream.range(0, labels.length).toArray();
    return sharing(shape, pixels, rows, labels.clone(), classNames, source);
  }

  /** A data set of those images of a store that are named by rows; nothing is copied. */
  static ImageDataSet sharing(
      ImageShape shape,
      PixelSource pixels,
      int[] rows,
      int[] labels,
      List<String> classNames,
      String source) {
    Objects.requireNonNull(source, "source");
    if (labels.length == 0) {
      throw new IllegalArgumentException("There are no images, expected at least one.");
    }
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] < 0 || labels[i] >= classNames.size()) {
        throw new IllegalArgumentException(
            Text.format(
                "Image %d has the label %d, expected 0 to %d.",
                i, labels[i], classNames.size() - 1));
      }
    }
    return new ImageDataSet(
        shape, List.copyOf(classNames), source, pixels, Normalization.SYMMETRIC, rows, labels);
  }

  /**
   * Reads all records of a DataVec reader, from its present position to its end.
   *
   * @param reader gives records of an image, {@code [1,C,H,W]} or {@code [C,H,W]} with whole
   *     numbers 0..255, and the number of its class, and the names of the classes ({@link
   *     RecordReader#getLabels()}); {@link IdxImageRecordReader} and DataVec's own image readers do
   * @param source where the images come from, for people to read
   * @return the data set
   * @throws IOException if the records are not such images, differ in shape, or there are none
   */
  public static ImageDataSet read(RecordReader reader, String source) throws IOException {
    Objects.requireNonNull(reader, "reader");
    List<String> classNames = reader.getLabels();
    if (classNames == null || classNames.isEmpty()) {
      throw new IOException(source + " does not name its classes.");
    }
    ImageShape shape = null;
    List<byte[]> images = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    while (reader.hasNext()) {
      List<Writable> record = reader.next();
      if (record.size() != 2 || !(record.get(0) instanceof NDArrayWritable image)) {
        throw new IOException(
            Text.format("Record %d of %s is not an image and a label.", images.size(), source));
      }
      int label = record.get(1).toInt();
      if (label < 0 || label >= classNames.size()) {
        throw new IOException(
            Text.format(
                "Record %d of %s has the label %d, expected 0 to %d.",
                images.size(), source, label, classNames.size() - 1));
      }
      ImageShape found = shapeOf(image.get(), images.size(), source);
      if (shape != null && !shape.equals(found)) {
        throw new IOException(
            Text.format(
                "Record %d of %s is an image of %s, but those before it are of %s.",
                images.size(), source, found, shape));
      }
      shape = found;
      images.add(bytes(image.get(), images.size(), source));
      labels.add(label);
    }
    if (shape == null) {
      throw new IOException(source + " holds no images.");
    }
    PixelStore.requireMemory(shape, images.size(), source);
    PixelStore pixels = new PixelStore(shape, images.size());
    for (int i = 0; i < images.size(); i++) {
      pixels.put(i, images.get(i), 0);
    }
    int[] rows = IntStream.range(0, images.size()).toArray();
    int[] numbers = labels.stream().mapToInt(Integer::intValue).toArray();
    return sharing(shape, pixels, rows, numbers, classNames, source);
  }

  private static ImageShape shapeOf(INDArray image, int index, String source) throws IOException {
    long[] axes = image.shape();
    boolean batchOfOne = axes.length == 4 && axes[0] == 1;
    if (!batchOfOne && axes.length != 3) {
      throw new IOException(
          Text.format(
              "Record %d of %s has the shape %s, expected [1,C,H,W] or [C,H,W].",
              index, source, Arrays.toString(axes)));
    }
    int first = axes.length - 3;
    return new ImageShape((int) axes[first], (int) axes[first + 1], (int) axes[first + 2]);
  }

  private static byte[] bytes(INDArray image, int index, String source) throws IOException {
    float[] values = image.dup('c').data().asFloat();
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      int pixel = (int) values[i];
      if (pixel != values[i] || pixel < 0 || pixel > 255) {
        throw new IOException(
            Text.format(
                "Record %d of %s has the pixel %s, expected a whole number from 0 to 255.",
                index, source, values[i]));
      }
      bytes[i] = (byte) pixel;
    }
    return bytes;
  }

  /** {@return the number of images, N, at least 1} */
  public int size() {
    return rows.length;
  }

  /** {@return the shape of each image, {@code [C,H,W]}} */
  public ImageShape shape() {
    return shape;
  }

  /**
   * The names of the classes, whether or not an image of each is in this part of the data.
   *
   * @return an unmodifiable list, in the order of the labels 0, 1, …
   */
  public List<String> classNames() {
    return classNames;
  }

  /**
   * Where the images come from, for people to read.
   *
   * @return a phrase without a full stop
   */
  public String source() {
    return source;
  }

  /**
   * How the model sees pixels.
   *
   * @return the scale by which batches are made
   */
  public Normalization normalization() {
    return normalization;
  }

  /**
   * The same images on another scale.
   *
   * @param newNormalization how a model sees their pixels
   * @return a data set that shares the pixels of this one, and so has its fingerprint
   * @throws IllegalArgumentException if it is for another number of channels
   */
  public ImageDataSet withNormalization(Normalization newNormalization) {
    newNormalization.requireChannels(shape.channels());
    return new ImageDataSet(shape, classNames, source, pixels, newNormalization, rows, labels);
  }

  /**
   * Tells whether two data sets hold the same: the SHA-256 of N, C, H, W and the number of classes
   * (32-bit big-endian), then the pixels {@code [N,C,H,W]}, then the labels (32-bit big-endian).
   *
   * @return 64 hexadecimal digits in lower case
   */
  public String fingerprint() {
    String made = fingerprint;
    if (made == null) {
      MessageDigest digest = Sha256.digest();
      int[] sizes = {size(), shape.channels(), shape.height(), shape.width(), classNames.size()};
      digest.update(bigEndian(sizes));
      for (int row : rows) {
        digest.update(pixels.chunk(row), pixels.offset(row), shape.volume());
      }
      made = HexFormat.of().formatHex(digest.digest(bigEndian(labels)));
      fingerprint = made;
    }
    return made;
  }

  private static byte[] bigEndian(int[] numbers) {
    ByteBuffer buffer = ByteBuffer.allocate(Math.multiplyExact(numbers.length, Integer.BYTES));
    buffer.asIntBuffer().put(numbers);
    return buffer.array();
  }

  /**
   * The class of an image.
   *
   * @param index 0..N-1
   * @return its label, 0..classes-1
   * @throws IndexOutOfBoundsException if there is no such image
   */
  public int label(int index) {
    return labels[index];
  }

  /**
   * The pixels of an image.
   *
   * @param index 0..N-1
   * @return a copy {@code [C,H,W]} of unsigned bytes, the last axis varying fastest
   * @throws IndexOutOfBoundsException if there is no such image
   */
  public byte[] pixels(int index) {
    int start = pixels.offset(rows[index]);
    return Arrays.copyOfRange(pixels.chunk(rows[index]), start, start + shape.volume());
  }

  /**
   * Images as a model sees them.
   *
   * @param indices which images, 0..N-1, n of them, at least one
   * @return features {@code [n,C,H,W]}, FLOAT, by {@link #normalization()} and so usually in
   *     [-1,1], and one-hot labels {@code [n,classes]}, FLOAT; fresh arrays
   * @throws IndexOutOfBoundsException if there is no such image
   * @throws IllegalArgumentException if no image is asked for, or more than fit into an array
   */
  public DataSet batch(int... indices) {
    return batch(indices, new boolean[indices.length]);
  }

  /** As {@link #batch(int...)}, with those images mirrored left to right whose flag is set. */
  DataSet batch(int[] indices, boolean[] mirrored) {
    return batch(indices, mirrored, new ImageChange[indices.length]);
  }

  /**
   * As {@link #batch(int...)}, with those images changed that have a change and not null, and those
   * mirrored left to right whose flag is set.
   */
  DataSet batch(int[] indices, boolean[] mirrored, ImageChange[] changes) {
    if (indices.length == 0) {
      throw new IllegalArgumentException("A batch needs at least one image.");
    }
    long values = (long) indices.length * Math.max(shape.volume(), classNames.size());
    if (values > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          Text.format(
              "A batch of %d image(s) of %s does not fit into an array.", indices.length, shape));
    }
    float[] features = new float[indices.length * shape.volume()];
    float[] oneHot = new float[indices.length * classNames.size()];
    for (int i = 0; i < indices.length; i++) {
      byte[] chunk = pixels.chunk(rows[indices[i]]);
      int start = pixels.offset(rows[indices[i]]);
      if (changes[i] != null) {
        chunk = changes[i].apply(pixels(indices[i]), shape);
        start = 0;
      }
      if (mirrored[i]) {
        writeMirrored(chunk, start, features, i * shape.volume());
      } else {
        write(chunk, start, features, i * shape.volume());
      }
      oneHot[i * classNames.size() + labels[indices[i]]] = 1;
    }
    long[] featuresShape = {indices.length, shape.channels(), shape.height(), shape.width()};
    long[] labelsShape = {indices.length, classNames.size()};
    return new DataSet(
        Nd4j.create(features, featuresShape, 'c'), Nd4j.create(oneHot, labelsShape, 'c'));
  }

  private void write(byte[] chunk, int start, float[] target, int offset) {
    int plane = shape.height() * shape.width();
    for (int c = 0; c < shape.channels(); c++) {
      float[] values = modelValues[c];
      for (int i = c * plane; i < (c + 1) * plane; i++) {
        target[offset + i] = values[Byte.toUnsignedInt(chunk[start + i])];
      }
    }
  }

  private void writeMirrored(byte[] chunk, int start, float[] target, int offset) {
    int width = shape.width();
    for (int line = 0; line < shape.volume(); line += width) {
      float[] values = modelValues[line / (shape.height() * width)];
      for (int column = 0; column < width; column++) {
        target[offset + line + column] =
            values[Byte.toUnsignedInt(chunk[start + line + width - 1 - column])];
      }
    }
  }

  /**
   * Some of the images, in the given order.
   *
   * @param indices which images, 0..N-1, at least one; an image may come more than once
   * @return a data set that shares the pixels of this one
   * @throws IndexOutOfBoundsException if there is no such image
   * @throws IllegalArgumentException if no image is asked for
   */
  public ImageDataSet select(int... indices) {
    return select(indices, Text.count(indices.length, "image") + " of ");
  }

  /**
   * The first images.
   *
   * @param count how many, 1..N
   * @return a data set that shares the pixels of this one
   * @throws IllegalArgumentException if count is less than 1 or more than there are
   */
  public ImageDataSet take(int count) {
    requirePart(count, size());
    return select(
        IntStream.range(0, count).toArray(),
        (count == 1 ? "the first image of " : "the first " + count + " images of "));
  }

  /**
   * Some images, evenly spread over the data set, which may be sorted by class.
   *
   * @param count how many, 1..N
   * @return a data set that shares the pixels of this one; this one itself if all are asked for
   * @throws IllegalArgumentException if count is less than 1 or more than there are
   */
  public ImageDataSet takeSpread(int count) {
    requirePart(count, size());
    return count == size()
        ? this
        : select(spread(size(), count), Text.count(count, "image") + ", evenly spread, of ");
  }

  /** Rising numbers, as far apart as they can be. */
  static int[] spread(int size, int count) {
    return IntStream.range(0, count).map(i -> (int) ((long) i * size / count)).toArray();
  }

  /**
   * The images in another size: scaled until they just cover it, and then their middle. Pixels are
   * averaged where images shrink, and interpolated where they grow.
   *
   * @param height H in pixels, at least 1
   * @param width W in pixels, at least 1
   * @return this data set if it has that size, or else one with its own pixels
   * @throws IllegalArgumentException if a size is out of range
   * @throws IOException if it does not fit into memory
   */
  public ImageDataSet resized(int height, int width) throws IOException {
    ImageShape newShape = new ImageShape(shape.channels(), height, width);
    return newShape.equals(shape)
        ? this
        : changed(
            newShape,
            "images resized to " + height + "x" + width + ", of ",
            image ->
                Resampling.cover(
                    (y, row) -> readRow(image, y, row),
                    shape.channels(),
                    shape.height(),
                    shape.width(),
                    height,
                    width));
  }

  private void readRow(byte[] image, int y, float[][] row) {
    for (int c = 0; c < shape.channels(); c++) {
      for (int x = 0; x < shape.width(); x++) {
        row[c][x] = Byte.toUnsignedInt(image[(c * shape.height() + y) * shape.width() + x]);
      }
    }
  }

  /**
   * The images in shades of grey: their luma, ITU-R BT.601's.
   *
   * @return this data set if it has one channel, or else one with its own pixels and {@link
   *     Normalization#SYMMETRIC}
   * @throws IllegalArgumentException if there are neither 1 nor 3 channels
   * @throws IOException if it does not fit into memory
   */
  public ImageDataSet grayscale() throws IOException {
    if (shape.channels() != 1 && shape.channels() != 3) {
      throw new IllegalArgumentException(
          "Images of " + shape.channels() + " channels have no shades of grey; 1 and 3 have.");
    }
    if (shape.channels() == 1) {
      return this;
    }
    ImageDataSet symmetric = withNormalization(Normalization.SYMMETRIC);
    return symmetric.changed(
        new ImageShape(1, shape.height(), shape.width()),
        "images in grey, of ",
        ImageDataSet::luma);
  }

  /** The images with rows and columns exchanged, from the same source. */
  ImageDataSet transposed() throws IOException {
    int height = shape.height();
    int width = shape.width();
    return changed(
        new ImageShape(shape.channels(), width, height),
        "",
        image -> {
          byte[] turned = new byte[image.length];
          for (int i = 0; i < image.length; i++) {
            int plane = i / (height * width);
            int y = i / width % height;
            int x = i % width;
            turned[(plane * width + x) * height + y] = image[i];
          }
          return turned;
        });
  }

  private static byte[] luma(byte[] image) {
    byte[] grey = new byte[image.length / 3];
    for (int i = 0; i < grey.length; i++) {
      float value =
          Luma.of(
              Byte.toUnsignedInt(image[i]),
              Byte.toUnsignedInt(image[grey.length + i]),
              Byte.toUnsignedInt(image[2 * grey.length + i]));
      grey[i] = (byte) Math.round(value);
    }
    return grey;
  }

  private ImageDataSet changed(ImageShape newShape, String how, UnaryOperator<byte[]> change)
      throws IOException {
    PixelStore.requireMemory(newShape, size(), source);
    PixelStore store = new PixelStore(newShape, size());
    IntStream.range(0, size()).parallel().forEach(i -> store.put(i, change.apply(pixels(i)), 0));
    int[] newRows = IntStream.range(0, size()).toArray();
    return new ImageDataSet(
        newShape,
        classNames,
        how.isEmpty() ? source : partOf(how),
        store,
        normalization,
        newRows,
        labels);
  }

  /**
   * The images of one class, in their order.
   *
   * @param nameOrNumber the class, as {@link ClassNames#find} takes it
   * @return a data set that shares the pixels of this one; labels and class names stay as they are
   * @throws IllegalArgumentException if there is no such class, or no image of it
   */
  public ImageDataSet onlyClass(String nameOrNumber) {
    return onlyClass(ClassNames.of(classNames).find(nameOrNumber));
  }

  /**
   * The images of one class, in their order.
   *
   * @param label the number of the class
   * @return a data set that shares the pixels of this one; labels and class names stay as they are
   * @throws IllegalArgumentException if there is no such class, or no image of it
   */
  public ImageDataSet onlyClass(int label) {
    if (label < 0 || label >= classNames.size()) {
      throw new IllegalArgumentException(
          Text.format("There is no class %d, expected 0 to %d.", label, classNames.size() - 1));
    }
    int[] indices = IntStream.range(0, size()).filter(i -> labels[i] == label).toArray();
    if (indices.length == 0) {
      throw new IllegalArgumentException(
          Text.format("There is no image of class %d, %s.", label, classNames.get(label)));
    }
    return select(indices, Text.format("class %d, %s, of ", label, classNames.get(label)));
  }

  /**
   * Keeps images apart, to measure on.
   *
   * @param count how many images to hold out, 1..N-1
   * @param seed what they are drawn from
   * @return the two parts, each in the order of this data set
   * @throws IllegalArgumentException if count is less than 1, or no image is left to train on
   */
  public HoldOut holdOut(int count, long seed) {
    requirePart(count, size() - 1);
    int[] order = HoldOutOrder.of(seed, size());
    int[] apart = Arrays.copyOf(order, count);
    int[] rest = Arrays.copyOfRange(order, count, size());
    Arrays.sort(apart);
    Arrays.sort(rest);
    return new HoldOut(
        select(rest, Text.count(rest.length, "image") + " to train on, of "),
        select(apart, Text.count(count, "image") + " held out, of "));
  }

  private void requirePart(int count, int most) {
    if (count < 1 || count > most) {
      throw new IllegalArgumentException(
          Text.format("%d images of %d were asked for, expected 1 to %d.", count, size(), most));
    }
  }

  private ImageDataSet select(int[] indices, String part) {
    if (indices.length == 0) {
      throw new IllegalArgumentException("A data set needs at least one image.");
    }
    int[] newRows = IntStream.of(indices).map(i -> rows[i]).toArray();
    int[] newLabels = IntStream.of(indices).map(i -> labels[i]).toArray();
    return new ImageDataSet(
        shape, classNames, partOf(part), pixels, normalization, newRows, newLabels);
  }

  /**
   * Where a part comes from.
   *
   * @param part such as "10 images of "
   */
  private String partOf(String part) {
    return part + (source.startsWith(OF_IMAGES) ? source.substring(OF_IMAGES.length()) : source);
  }

  /** As in {@code 7000 images of 28x28x1, 10 classes: Fashion-MNIST training images from …}. */
  @Override
  public String toString() {
    return Text.format(
        "%d image(s) of %s, %d class(es): %s", size(), shape, classNames.size(), source);
  }
}
