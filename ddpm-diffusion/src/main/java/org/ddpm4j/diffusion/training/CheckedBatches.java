package org.ddpm4j.diffusion.training;

import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/**
 * A source whose first batch is looked at: pixels that nobody has scaled are trained on without an
 * error, and never drawn well. Refused are numbers from 0 to 255, of which some are in the brighter
 * half, and what a filter that sharpens makes of them when they are resized.
 *
 * <p>All else is taken, however large: a schedule whose noise is as large goes with it, and a scale
 * of one's own may be any. Data that was standardised, and latents, are negative about as often as
 * positive; those of an autoencoder that nobody has scaled reach some tens.
 */
final class CheckedBatches implements BatchSource {

  private static final int MAX_PIXEL = 255;

  /**
   * How far filters with negative lobes, as Lanczos', overshoot an edge, an eighth of its height.
   */
  private static final int OVERSHOOT = 32;

  /** What labels, counts and masks seldom reach, and every data set of pictures does. */
  private static final int BRIGHT = 127;

  private final BatchSource source;
  private volatile boolean checked;

  CheckedBatches(BatchSource source) {
    this.source = source;
  }

  @Override
  public DataSet batch(long step) {
    DataSet batch = source.batch(step);
    check(batch);
    return batch;
  }

  @Override
  public Shard shard(long step, int shard, int shards) {
    Shard part = source.shard(step, shard, shards);
    part.images().ifPresent(this::check);
    return part;
  }

  private void check(DataSet batch) {
    if (checked || batch == null || batch.getFeatures() == null) {
      return;
    }
    if (!batch.getFeatures().isEmpty()) {
      requireScaled(batch.getFeatures());
    }
    checked = true;
  }

  private static void requireScaled(INDArray images) {
    float[] values = images.castTo(DataType.FLOAT).dup('c').data().asFloat();
    float least = values[0];
    float most = values[0];
    for (float value : values) {
      // Of what is not finite, the loss will tell.
      if (!(value >= -OVERSHOOT && value <= MAX_PIXEL + OVERSHOOT)) {
        return;
      }
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    if (most > BRIGHT) {
      throw new IllegalArgumentException(
          Text.format(
              "The first batch holds numbers from %.0f to %.0f, as the pixels of files, but networks are trained on images of about [-1,1]; scale them by Normalization.SYMMETRIC.toModel, which is x/127.5 - 1, or read them as an ImageDataSet.",
              least, most));
    }
  }
}
