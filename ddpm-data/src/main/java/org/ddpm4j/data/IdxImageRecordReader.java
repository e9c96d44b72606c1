package org.ddpm4j.data;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.datavec.api.conf.Configuration;
import org.datavec.api.records.Record;
import org.datavec.api.records.metadata.RecordMetaData;
import org.datavec.api.records.metadata.RecordMetaDataIndex;
import org.datavec.api.records.reader.BaseRecordReader;
import org.datavec.api.split.InputSplit;
import org.datavec.api.writable.IntWritable;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.api.writable.Writable;
import org.datavec.api.writable.batch.NDArrayRecordBatch;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DataVec's view of a pair of IDX files: images {@code [N,H,W]} and labels {@code [N]}.
 *
 * <p>A record is an {@link NDArrayWritable} of shape {@code [1,1,H,W]}, FLOAT, 0..255, and an
 * {@link IntWritable} with the label, as DataVec's own image readers make them; DL4J's {@code
 * RecordReaderDataSetIterator} takes it as it is. The files are held in memory; reading them is
 * checked when the reader is given them, so that {@link #next()} cannot fail on a bad file.
 *
 * <p>A reader is made with its two files, or is given them by {@link #initialize(InputSplit)}: a
 * split with exactly two locations, in any order, for example a {@code FileSplit} over a folder
 * with the two files only, or a {@code CollectionInputSplit}. Not thread-safe.
 */
public final class IdxImageRecordReader extends BaseRecordReader {

  private static final long serialVersionUID = 1L;

  private static final int IMAGES_RANK = 3;
  private static final int LABELS_RANK = 1;

  private final transient List<String> classNames;
  private transient Configuration configuration;
  private transient IdxFile images;
  private transient ByteBuffer pixels;
  private transient ByteBuffer classes;
  private transient int position;

  /**
   * A reader that {@link #initialize(InputSplit)} must give its files.
   *
   * @param classNames the name of each class, in the order of the labels 0, 1, …
   * @throws IllegalArgumentException if there is no class
   */
  public IdxImageRecordReader(List<String> classNames) {
    Objects.requireNonNull(classNames, "classNames");
    if (classNames.isEmpty()) {
      throw new IllegalArgumentException("There are no class names, expected at least one.");
    }
    this.classNames = List.copyOf(classNames);
  }

  /**
   * A reader of two files.
   *
   * @param images the images, IDX of {@code [N,H,W]}, plain or gzip
   * @param labels their labels, IDX of {@code [N]}, plain or gzip
   * @param classNames the name of each class, in the order of the labels 0, 1, …
   * @throws IOException if a file cannot be used; the message names it
   * @throws IllegalArgumentException if there is no class
   */
  public IdxImageRecordReader(Path images, Path labels, List<String> classNames)
      throws IOException {
    this(IdxFile.read(images), IdxFile.read(labels), classNames);
  }

  /**
   * A reader of two files that are already in memory.
   *
   * @param images the images {@code [N,H,W]}
   * @param labels their labels {@code [N]}
   * @param classNames the name of each class, in the order of the labels 0, 1, …
   * @throws IOException if the files do not belong together; the message names them
   * @throws IllegalArgumentException if there is no class
   */
  public IdxImageRecordReader(IdxFile images, IdxFile labels, List<String> classNames)
      throws IOException {
    this(classNames);
    open(images, labels);
  }

  /**
   * Reads the two files of a split.
   *
   * @param split exactly two locations: a file of images and one of labels, in any order
   * @throws IOException if there are not exactly two locations, or a file cannot be used
   */
  @Override
  public void initialize(InputSplit split) throws IOException, InterruptedException {
    super.initialize(split);
    URI[] locations = split.locations();
    if (locations.length != 2) {
      throw new IOException(
          "An IDX data set is a file of images and a file of labels, but the input split has "
              + locations.length
              + " locations, expected 2.");
    }
    IdxFile first = read(locations[0]);
    IdxFile second = read(locations[1]);
    if (first.rank() == LABELS_RANK) {
      open(second, first);
    } else {
      open(first, second);
    }
  }

  @Override
  public void initialize(Configuration conf, InputSplit split)
      throws IOException, InterruptedException {
    setConf(conf);
    initialize(split);
  }

  private IdxFile read(URI location) throws IOException {
    if ("file".equals(location.getScheme())) {
      return IdxFile.read(Path.of(location));
    }
    try (InputStream stream = streamCreatorFn.apply(location)) {
      return IdxFile.read(stream, location.toString());
    }
  }

  private void open(IdxFile newImages, IdxFile newLabels) throws IOException {
    requireRank(newImages, IMAGES_RANK, "images [N,H,W]");
    requireRank(newLabels, LABELS_RANK, "labels [N]");
    if (newImages.size(0) != newLabels.size(0)) {
      throw new IOException(
          Text.format(
              "%s holds %d image(s), but %s holds %d label(s); the two files do not belong together,"
                  + " get both again.",
              newImages.name(), newImages.size(0), newLabels.name(), newLabels.size(0)));
    }
    ByteBuffer newClasses = newLabels.values();
    for (int i = 0; i < newClasses.capacity(); i++) {
      int label = Byte.toUnsignedInt(newClasses.get(i));
      if (label >= classNames.size()) {
        throw new IOException(
            Text.format(
                "%s has the label %d at position %d, expected 0 to %d; take the labels of this data"
                    + " set.",
                newLabels.name(), label, i, classNames.size() - 1));
      }
    }
    images = newImages;
    pixels = newImages.values();
    classes = newClasses;
    position = 0;
  }

  private static void requireRank(IdxFile file, int rank, String meaning) throws IOException {
    if (file.rank() != rank) {
      throw new IOException(
          Text.format(
              "%s has %s, expected %d for %s; are the two files swapped? Then exchange their"
                  + " names.",
              file.name(), Text.count(file.rank(), "axis", "axes"), rank, meaning));
    }
  }

  @Override
  public boolean hasNext() {
    return images != null && position < images.size(0);
  }

  /**
   * The next image and its label.
   *
   * @return an image {@code [1,1,H,W]}, FLOAT, 0..255, and its label
   * @throws NoSuchElementException if there is none
   */
  @Override
  public List<Writable> next() {
    requireNext();
    List<Writable> record = record(position);
    position++;
    invokeListeners(record);
    return record;
  }

  /** True: {@link #next(int)} is there. */
  @Override
  public boolean batchesSupported() {
    return true;
  }

  /**
   * The next images and their labels, as two arrays.
   *
   * @param num how many, at least 1; fewer come if fewer are left
   * @return images {@code [num,1,H,W]}, FLOAT, 0..255, and one-hot labels {@code [num,classes]},
   *     FLOAT
   * @throws NoSuchElementException if there is none
   */
  @Override
  public List<List<Writable>> next(int num) {
    requireNext();
    if (num < 1) {
      throw new IllegalArgumentException("A batch of " + num + " records was asked for.");
    }
    int count = Math.min(num, images.size(0) - position);
    float[] oneHot = new float[Math.multiplyExact(count, classNames.size())];
    for (int i = 0; i < count; i++) {
      oneHot[i * classNames.size() + label(position + i)] = 1;
    }
    INDArray targets = Nd4j.create(oneHot, new long[] {count, classNames.size()}, 'c');
    NDArrayRecordBatch batch = new NDArrayRecordBatch(List.of(image(position, count), targets));
    position += count;
    invokeListeners(batch);
    return batch;
  }

  private void requireNext() {
    if (images == null) {
      throw new IllegalStateException("The reader has no files yet; call initialize first.");
    }
    if (!hasNext()) {
      throw new NoSuchElementException("All " + images.size(0) + " images have been read.");
    }
  }

  private List<Writable> record(int index) {
    return List.of(new NDArrayWritable(image(index, 1)), new IntWritable(label(index)));
  }

  private INDArray image(int first, int count) {
    int height = images.size(1);
    int width = images.size(2);
    float[] values = new float[count * height * width];
    int start = first * height * width;
    for (int i = 0; i < values.length; i++) {
      values[i] = Byte.toUnsignedInt(pixels.get(start + i));
    }
    return Nd4j.create(values, new long[] {count, 1, height, width}, 'c');
  }

  private int label(int index) {
    return Byte.toUnsignedInt(classes.get(index));
  }

  @Override
  public List<String> getLabels() {
    return classNames;
  }

  @Override
  public void reset() {
    position = 0;
  }

  @Override
  public boolean resetSupported() {
    return true;
  }

  /**
   * Not possible: a record comes from two files.
   *
   * @throws UnsupportedOperationException always
   */
  @Override
  public List<Writable> record(URI uri, DataInputStream dataInputStream) {
    throw new UnsupportedOperationException(
        "An image and its label come from two IDX files, not from one stream.");
  }

  @Override
  public Record nextRecord() {
    int index = position;
    return new org.datavec.api.records.impl.Record(next(), metaData(index));
  }

  private RecordMetaData metaData(int index) {
    // Two files have no single address: the index alone says where the record is.
    return new RecordMetaDataIndex(index, null, IdxImageRecordReader.class);
  }

  @Override
  public Record loadFromMetaData(RecordMetaData recordMetaData) {
    if (!(recordMetaData instanceof RecordMetaDataIndex place)
        || images == null
        || place.getIndex() < 0
        || place.getIndex() >= images.size(0)) {
      throw new IllegalArgumentException(
          "There is no record " + recordMetaData + " in this reader.");
    }
    int index = (int) place.getIndex();
    return new org.datavec.api.records.impl.Record(record(index), recordMetaData);
  }

  @Override
  public List<Record> loadFromMetaData(List<RecordMetaData> recordMetaDatas) {
    List<Record> records = new ArrayList<>();
    for (RecordMetaData recordMetaData : recordMetaDatas) {
      records.add(loadFromMetaData(recordMetaData));
    }
    return records;
  }

  @Override
  public void setConf(Configuration conf) {
    configuration = conf;
  }

  @Override
  public Configuration getConf() {
    return configuration;
  }

  /** Lets go of the files. */
  @Override
  public void close() {
    images = null;
    pixels = null;
    classes = null;
  }

  /**
   * Refuses; DataVec's and DL4J's interfaces are serialisable, this class is not.
   *
   * @param out not written to
   * @throws NotSerializableException always
   */
  private void writeObject(ObjectOutputStream out) throws NotSerializableException {
    throw new NotSerializableException(
        "IdxImageRecordReader does not take part in Java serialisation; save its files instead.");
  }
}
