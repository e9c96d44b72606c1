package org.ddpm4j.diffusion.training;

import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/**
 * A source whose first batch is looked at: pixels that nobody has scaled are trained on without an
 * error, and never drawn well. Refused are whole numbers from 0 to 255 alone, of which some are in
 * the brighter half. Data that was standardised, and latents, have fractions and negative numbers.
 */
final class CheckedBatches implements BatchSource {

  private static final int MAX_PIXEL = 255;

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
    if (arePixels(batch.getFeatures())) {
      throw new IllegalArgumentException(
          Text.format(
              "The first batch holds whole numbers from 0 to %d, as the pixels of files, but networks are trained on images of about [-1,1]; scale them by Normalization.SYMMETRIC.toModel, which is x/127.5 - 1, or read them as an ImageDataSet.",
              MAX_PIXEL));
    }
    checked = true;
  }

  private static boolean arePixels(INDArray images) {
    if (images.isEmpty()) {
      return false;
    }
    float[] values = images.castTo(DataType.FLOAT).dup('c').data().asFloat();
    boolean bright = false;
    for (float value : values) {
      if (!(value >= 0 && value <= MAX_PIXEL) || value != (int) value) {
        return false;
      }
      bright |= value > BRIGHT;
    }
    return bright;
  }
}
