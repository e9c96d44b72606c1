package org.ddpm4j.spark.sampling;

import java.io.IOException;
import java.nio.file.Files;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.RecordWriter;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitter;
import org.ddpm4j.io.Text;

/**
 * A PNG file for each image, named by its number. A task writes into the folder of its attempt;
 * Spark lets one attempt of each task commit, and its files come to their place when the job does.
 */
public final class ImageFileFormat extends FileOutputFormat<Integer, DrawnImage> {

  /** The property with the number of digits of a name. */
  static final String DIGITS = "ddpm4j.image.digits";

  private static final int LEAST_DIGITS = 4;

  /** Called by Spark. */
  public ImageFileFormat() {}

  /** As many as {@code ddpm sample} gives the names of so many images. */
  static int digits(int count) {
    return Math.max(LEAST_DIGITS, Integer.toString(count - 1).length());
  }

  @Override
  public RecordWriter<Integer, DrawnImage> getRecordWriter(TaskAttemptContext context)
      throws IOException {
    Path folder = ((PathOutputCommitter) getOutputCommitter(context)).getWorkPath();
    int digits = context.getConfiguration().getInt(DIGITS, LEAST_DIGITS);
    FileSystem files = folder.getFileSystem(context.getConfiguration());
    if (files instanceof LocalFileSystem local) {
      Files.createDirectories(local.pathToFile(folder).toPath());
    }
    return new RecordWriter<>() {
      @Override
      public void write(Integer number, DrawnImage drawn) throws IOException {
        Path file = new Path(folder, Text.format("%0" + digits + "d.png", number));
        if (files instanceof LocalFileSystem local) {
          // Hadoop's own stream starts two processes of chmod for each file and its checksum.
          Files.write(local.pathToFile(file).toPath(), drawn.image());
        } else {
          try (FSDataOutputStream out = files.create(file)) {
            out.write(drawn.image());
          }
        }
      }

      @Override
      public void close(TaskAttemptContext ended) {
        // Every file is closed.
      }
    };
  }
}
