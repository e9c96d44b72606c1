package org.ddpm4j.kernels.ops;

import java.util.List;
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
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }
}
