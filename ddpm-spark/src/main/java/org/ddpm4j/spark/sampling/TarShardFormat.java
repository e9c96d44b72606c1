package org.ddpm4j.spark.sampling;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.RecordWriter;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitter;
import org.ddpm4j.io.Text;

/**
 * A tar archive for each task as WebDataset reads them: {@code shard-00000.tar} with {@code
 * 00000000.png} and, of a class, {@code 00000000.cls} for each image. The same images give the same
 * bytes: times and owners are left out.
 */
public final class TarShardFormat extends FileOutputFormat<Integer, DrawnImage> {

  /** Called by Spark. */
  public TarShardFormat() {}

  @Override
  public RecordWriter<Integer, DrawnImage> getRecordWriter(TaskAttemptContext context)
      throws IOException {
    Path folder = ((PathOutputCommitter) getOutputCommitter(context)).getWorkPath();
    Path file =
        new Path(
            folder, Text.format("shard-%05d.tar", context.getTaskAttemptID().getTaskID().getId()));
    TarArchiveOutputStream tar =
        new TarArchiveOutputStream(
            file.getFileSystem(context.getConfiguration()).create(file, true),
            StandardCharsets.UTF_8.name());
    return new RecordWriter<>() {
      @Override
      public void write(Integer number, DrawnImage drawn) throws IOException {
        String key = Text.format("%08d", number);
        put(key + ".png", drawn.image());
        if (drawn.classNumber() != DrawnImage.NO_CLASS) {
          put(key + ".cls", Integer.toString(drawn.classNumber()).getBytes(StandardCharsets.UTF_8));
        }
      }

      private void put(String name, byte[] content) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        entry.setModTime(new Date(0));
        entry.setIds(0, 0);
        entry.setNames("", "");
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }

      @Override
      public void close(TaskAttemptContext ended) throws IOException {
        tar.close();
      }
    };
  }
}
