package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * The images of a batch, one after the other, as floats: where they lie, or copies in scratch
 * memory if they are in bfloat16. An image stays in the cache between its copy and what is done
 * with it.
 */
final class FloatImages {

  private final List<CpuTensor> images = new ArrayList<>();
  private final List<Kernel> copies = new ArrayList<>();

  private FloatImages() {}

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
    FloatImages all = new FloatImages();
    long length = batch.length() / batch.size(0);
    for (int n = 0; n < batch.size(0); n++) {
      CpuTensor image = batch.part(n * length, length);
      if (batch.isFloat()) {
        all.images.add(image);
        all.copies.add(() -> {});
      } else {
        all.images.add(scratch);
        all.copies.add(reading ? context.copying(image, scratch) : context.copying(scratch, image));
      }
    }
    return all;
  }

  /** The floats of scratch memory that this takes. */
  static long scratch(CpuTensor batch) {
    return batch.isFloat() ? 0 : batch.length() / batch.size(0);
  }

  /** An image's values, until the next is loaded. */
  CpuTensor load(int image) {
    copies.get(image).run();
    return images.get(image);
  }

  /** Where an image's values are to be written before they are stored. */
  CpuTensor target(int image) {
    return images.get(image);
  }

  /** Stores an image that was written. */
  void store(int image) {
    copies.get(image).run();
  }
}
