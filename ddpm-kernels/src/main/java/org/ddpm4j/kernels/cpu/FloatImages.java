package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * The images of a batch, one after the other, as floats: where they lie, or copies in scratch
 * memory if they are in bfloat16. Small images are copied several at a time, as many as stay in the
 * cache between the copy and what is done with them: a call of oneDNN takes as long as a thousand
 * numbers.
 */
final class FloatImages {

  /** The floats that are copied at once, unless one image has more. */
  private static final int MOST = 1 << 15;

  private final int together;
  private final List<CpuTensor> images = new ArrayList<>();
  private final List<CpuTensor> groups = new ArrayList<>();
  private final List<Kernel> copies = new ArrayList<>();

  private FloatImages(int together) {
    this.together = together;
  }

  /** Images that are read. */
  static FloatImages reading(CpuContext context, CpuTensor batch, CpuTensor scratch) {
    return of(context, batch, scratch, true);
  }

  /** Images that are written. */
  static FloatImages writing(CpuContext context, CpuTensor batch, CpuTensor scratch) {
    return of(context, batch, scratch, false);
  }

  private static FloatImages of(
      CpuContext context, CpuTensor batch, CpuTensor scratch, boolean reading) {
    int together = together(batch);
    FloatImages all = new FloatImages(together);
    long length = batch.length() / batch.size(0);
    for (int first = 0; first < batch.size(0); first += together) {
      CpuTensor group = batch.part(first * length, together * length);
      CpuTensor floats = batch.isFloat() ? group : scratch.part(0, together * length);
      all.groups.add(floats);
      for (int n = 0; n < together; n++) {
        all.images.add(floats.part(n * length, length));
      }
      if (batch.isFloat()) {
        all.copies.add(() -> {});
      } else {
        all.copies.add(reading ? context.copying(group, floats) : context.copying(floats, group));
      }
    }
    return all;
  }

  /** How many images of a batch are copied at once: a divisor of their number. */
  static int together(CpuTensor batch) {
    int images = batch.size(0);
    return Divisors.largest(images, Math.max(1, MOST / (batch.length() / images)));
  }

  /** The floats of scratch memory that this takes. */
  static long scratch(CpuTensor batch) {
    return batch.isFloat() ? 0 : groupLength(batch);
  }

  /** The elements that are copied at once. */
  static long groupLength(CpuTensor batch) {
    return (long) together(batch) * (batch.length() / batch.size(0));
  }

  /** The images of the batch. */
  int count() {
    return images.size();
  }

  /** An image's values, until one of the next group is loaded. Images are loaded in their order. */
  CpuTensor load(int image) {
    if (image % together == 0) {
      copies.get(image / together).run();
    }
    return images.get(image);
  }

  /** Where an image's values are to be written before they are stored. */
  CpuTensor target(int image) {
    return images.get(image);
  }

  /** Whether an image is the last of those that are copied at once. */
  boolean endsGroup(int image) {
    return (image + 1) % together == 0;
  }

  /** The values of all images that are copied together with this one. */
  CpuTensor group(int image) {
    return groups.get(image / together);
  }

  /** Stores an image that was written, with the others of its group when the last is. */
  void store(int image) {
    if (endsGroup(image)) {
      copies.get(image / together).run();
    }
  }
}
