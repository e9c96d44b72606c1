package org.ddpm4j.spark.evaluation;

import java.io.IOException;
import java.io.Serializable;
import org.ddpm4j.evaluation.FeatureExtractor;
import org.ddpm4j.unet.Execution;

/**
 * Opens the network of the features in an executor. {@code ClassifierFeatures::bundled}, for
 * instance.
 */
@FunctionalInterface
public interface ExtractorFactory extends Serializable {

  /**
   * Opens the network.
   *
   * @param execution how it computes
   * @return the extractor
   * @throws IOException if it cannot be read
   */
  FeatureExtractor open(Execution execution) throws IOException;
}
