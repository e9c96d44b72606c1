package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** What two arrays of one shape make, element by element. */
abstract class Pairwise extends FusedOp {

  Pairwise() {
    super(1);
  }

  Pairwise(SameDiff graph, SDVariable a, SDVariable b) {
    super(1, graph, a, b);
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }
}
