package org.ddpm4j.diffusion.pipeline;

import java.io.IOException;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What is done with the images of a batch as soon as they are drawn, before the next batch is. */
@FunctionalInterface
public interface BatchConsumer {

  /**
   * Takes a batch.
   *
   * @param first the number of its first image
   * @param images {@code [n,C,H,W]}; the consumer's to keep or to close
   * @throws IOException if they cannot be written; the sampling then ends
   */
  void accept(int first, INDArray images) throws IOException;
}
