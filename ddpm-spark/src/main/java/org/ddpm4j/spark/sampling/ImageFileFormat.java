package org.ddpm4j.spark.sampling;

import java.io.IOException;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
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
  private static final int BUFFER_BYTES = 4096;

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
    return new RecordWriter<>() {
      @Override
      public void write(Integer number, DrawnImage drawn) throws IOException {
        Path file = new Path(folder, Text.format("%0" + digits + "d.png", number));
        try (FSDataOutputStream out = create(file)) {
          out.write(drawn.image());
        }
      }

      /**
       * With the file system's own permissions: where others are asked for, the local one starts
       * chmod for each file.
       */
      private FSDataOutputStream create(Path file) throws IOException {
        FileSystem files = file.getFileSystem(context.getConfiguration());
        return files.create(
            file,
            null,
            true,
            BUFFER_BYTES,
            files.getDefaultReplication(file),
            files.getDefaultBlockSize(file),
            null);
      }

      @Override
      public void close(TaskAttemptContext ended) {
        // Every file is closed.
      }
    };
  }
}
