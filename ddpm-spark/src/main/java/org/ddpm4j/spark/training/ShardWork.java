package org.ddpm4j.spark.training;

import java.io.Serializable;
import org.apache.spark.util.SerializableConfiguration;
import org.ddpm4j.spark.data.PackedImages;

/**
 * What an executor needs to know of a training, once.
 *
 * @param name of the training in this cluster
 * @param config the run's configuration, as JSON
 * @param images folder of {@link PackedImages}
 * @param files configuration of the file systems
 * @param shards into how many each step is cut
 */
record ShardWork(
    String name, String config, String images, SerializableConfiguration files, int shards)
    implements Serializable {
  private static final long serialVersionUID = 1L;
}
