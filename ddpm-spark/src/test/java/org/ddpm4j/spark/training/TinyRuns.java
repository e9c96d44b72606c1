package org.ddpm4j.spark.training;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.spark.data.PackedImages;

/** {@link TinyRun} for tests of other packages. */
public final class TinyRuns {

  private TinyRuns() {}

  /** The configuration of so many steps on packed images. */
  public static RunConfig config(Path images, long steps) throws IOException {
    Configuration files = new Configuration();
    return TinyRun.config(PackedImages.open(images.toString(), files).dataSet(files), steps);
  }
}
