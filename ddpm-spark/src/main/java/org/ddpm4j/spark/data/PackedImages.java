package org.ddpm4j.spark.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.io.Text;
import org.ddpm4j.spark.files.RemotePaths;

/**
 * Labelled images of one shape in a folder of any Hadoop file system: {@code pixels-00000} and so
 * on, unsigned bytes {@code [N,C,H,W]}, {@code labels}, 32-bit big-endian numbers, and {@code
 * images.json}, which is written last. Opened, they are an {@link ImageDataSet} that reads what it
 * is asked for: the same images, the same batches and the same fingerprint as in memory.
 *
 * @param folder where they are
 * @param contents what {@code images.json} says
 */
public record PackedImages(String folder, Contents contents) {

  private static final String CONTENTS = "images.json";
  private static final String LABELS = "labels";

  /** Of a file of pixels that one machine writes. */
  private static final int PART_BYTES = 1 << 26;

  private static final int FORMAT = 1;
  private static final JsonMapper JSON = StrictJson.builder().build();

  /**
   * What the images are.
   *
   * @param format of the folder, 1
   * @param channels of each image
   * @param height of each image
   * @param width of each image
   * @param classNames of the classes, in the order of the labels
   * @param source where the images come from, for people to read
   * @param fingerprint see {@link ImageDataSet#fingerprint}
   * @param counts how many images each file of pixels has
   */
  public record Contents(
      int format,
      int channels,
      int height,
      int width,
      List<String> classNames,
      String source,
      String fingerprint,
      List<Integer> counts) {

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if the format is another, or there are no images
     */
    public Contents {
      if (format != FORMAT) {
        throw new IllegalArgumentException(
            Text.format("the format is %d, and this version knows 1", format));
      }
      classNames = List.copyOf(classNames);
      counts = List.copyOf(counts);
      if (counts.stream().mapToLong(Integer::longValue).sum() < 1) {
        throw new IllegalArgumentException("there are no images");
      }
    }

    /** {@return the shape of each image: channels, height and width} */
    public ImageShape shape() {
      return new ImageShape(channels, height, width);
    }

    /** {@return the number of images, at least 1} */
    public int size() {
      return Math.toIntExact(counts.stream().mapToLong(Integer::longValue).sum());
    }
  }

  static String pixelFile(int part) {
    return Text.format("pixels-%05d", part);
  }

  /**
   * Packs images that are in memory.
   *
   * @param images any
   * @param folder of any Hadoop file system, which must not exist
   * @param configuration of the file systems
   * @return the packed images
   * @throws IOException if the folder exists or cannot be written
   */
  public static PackedImages write(ImageDataSet images, String folder, Configuration configuration)
      throws IOException {
    int volume = images.shape().volume();
    int perPart = Math.max(1, PART_BYTES / volume);
    try (Writer writer = Writer.begin(folder, configuration)) {
      List<Integer> counts = new ArrayList<>();
      for (int first = 0; first < images.size(); first += perPart) {
        int end = Math.min(images.size(), first + perPart);
        try (OutputStream out = writer.create(pixelFile(counts.size()))) {
          for (int i = first; i < end; i++) {
            out.write(images.pixels(i));
          }
        }
        counts.add(end - first);
      }
      int[] labels = new int[images.size()];
      for (int i = 0; i < labels.length; i++) {
        labels[i] = images.label(i);
      }
      return writer.finish(images.shape(), images.classNames(), images.source(), counts, labels);
    }
  }

  /**
   * Opens packed images.
   *
   * @param folder that {@link #write} or {@link ImagePacking} made
   * @param configuration of the file systems
   * @return the packed images
   * @throws IOException if there are none, or their description is damaged
   */
  public static PackedImages open(String folder, Configuration configuration) throws IOException {
    Path file = new Path(RemotePaths.path(folder), CONTENTS);
    try (FSDataInputStream in = RemotePaths.fileSystem(file, configuration).open(file)) {
      return new PackedImages(folder, JSON.readValue(in.readAllBytes(), Contents.class));
    } catch (FileNotFoundException e) {
      throw new IOException(
          Text.format(
              "%s holds no packed images: it has no %s; pack a data set into it first.",
              folder, CONTENTS),
          e);
    } catch (JsonProcessingException e) {
      throw new IOException(
          Text.format(
              "%s does not say what the images beside it are (%s); pack them again.",
              file, StrictJson.problem(e)),
          e);
    }
  }

  /**
   * Fails now where packing into a folder would fail after all images have been looked for. Leaves
   * nothing behind.
   *
   * @param folder of any Hadoop file system, which must not exist
   * @param configuration of the file systems
   * @throws IOException if it exists or cannot be written
   */
  public static void requireWritable(String folder, Configuration configuration)
      throws IOException {
    Writer.begin(folder, configuration).close();
  }

  /**
   * The images as a data set, whose pixels are read when they are needed.
   *
   * @param configuration of the file systems
   * @return the data set, in [-1,1] until another normalisation
   * @throws IOException if the labels cannot be read
   */
  public ImageDataSet dataSet(Configuration configuration) throws IOException {
    Path path = new Path(folder);
    int[] labels = new int[contents.size()];
    try (DataInputStream in =
        new DataInputStream(
            new BufferedInputStream(
                path.getFileSystem(configuration).open(new Path(path, LABELS))))) {
      for (int i = 0; i < labels.length; i++) {
        labels[i] = in.readInt();
      }
    }
    int[] counts = contents.counts().stream().mapToInt(Integer::intValue).toArray();
    try {
      return ImageDataSet.of(
          contents.shape(),
          new PackedPixels(path, configuration, contents.shape().volume(), counts),
          labels,
          contents.classNames(),
          contents.source());
    } catch (IllegalArgumentException e) {
      throw new IOException(
          Text.format("%s is damaged: %s Pack the images again.", folder, e.getMessage()), e);
    }
  }

  /** Writes a folder beside its place, which it gets when it is whole but for its description. */
  static final class Writer implements AutoCloseable {

    /** Names of files of attempts begin so. */
    static final String ATTEMPT = "_attempt-";

    private final FileSystem files;
    private final Path target;
    private final Path unfinished;
    private final Configuration configuration;

    /** Whether the target is of this writer, and not described yet. */
    private boolean undescribed;

    private Writer(FileSystem files, Path target, Path unfinished, Configuration configuration) {
      this.files = files;
      this.target = target;
      this.unfinished = unfinished;
      this.configuration = configuration;
    }

    static Writer begin(String folder, Configuration configuration) throws IOException {
      Path target = RemotePaths.path(folder);
      FileSystem files = RemotePaths.fileSystem(target, configuration);
      target = files.makeQualified(target);
      if (files.exists(target)) {
        throw new IOException(
            Text.format(
                "%s exists, and images are packed into new folders alone; remove it, or name another.",
                folder));
      }
      Path unfinished =
          new Path(target.getParent(), "_" + target.getName() + "-" + UUID.randomUUID());
      files.mkdirs(unfinished);
      return new Writer(files, target, unfinished, configuration);
    }

    Path folder() {
      return unfinished;
    }

    OutputStream create(String name) throws IOException {
      return files.create(new Path(unfinished, name), true);
    }

    /** Gives a file of a task's attempt its name. */
    void rename(String attempt, String name) throws IOException {
      rename(new Path(unfinished, attempt), new Path(unfinished, name));
    }

    /** Removes what attempts have left that were lost, or not the first of their task. */
    void removeAttempts() throws IOException {
      for (FileStatus file : files.listStatus(unfinished)) {
        if (file.getPath().getName().startsWith(ATTEMPT)) {
          files.delete(file.getPath(), false);
        }
      }
    }

    PackedImages finish(
        ImageShape shape,
        List<String> classNames,
        String source,
        List<Integer> counts,
        int[] labels)
        throws IOException {
      try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(create(LABELS)))) {
        for (int label : labels) {
          out.writeInt(label);
        }
      }
      Contents unnamed = contents(shape, classNames, source, "", counts);
      String fingerprint =
          new PackedImages(unfinished.toString(), unnamed).dataSet(configuration).fingerprint();
      Contents contents = contents(shape, classNames, source, fingerprint, counts);
      // Object stores have no folders: there this is a copy of one file after the other, which can
      // end half-way. Images without a description are none.
      rename(unfinished, target);
      undescribed = true;
      Path described = new Path(target, "_" + CONTENTS);
      try (OutputStream out = files.create(described, true)) {
        out.write(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(contents));
      }
      rename(described, new Path(target, CONTENTS));
      undescribed = false;
      return new PackedImages(target.toString(), contents);
    }

    private void rename(Path from, Path to) throws IOException {
      if (!files.rename(from, to)) {
        throw new IOException(
            Text.format(
                "%s could not be renamed to %s; see whether the place can be written, and begin again.",
                from, to));
      }
    }

    private static Contents contents(
        ImageShape shape,
        List<String> classNames,
        String source,
        String fingerprint,
        List<Integer> counts) {
      return new Contents(
          FORMAT,
          shape.channels(),
          shape.height(),
          shape.width(),
          classNames,
          source,
          fingerprint,
          counts);
    }

    /** Removes what is not finished. */
    @Override
    public void close() throws IOException {
      files.delete(unfinished, true);
      if (undescribed) {
        files.delete(target, true);
      }
    }
  }
}
