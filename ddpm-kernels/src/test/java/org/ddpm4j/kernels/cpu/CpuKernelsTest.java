package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.ops.FusedOps;
import org.junit.jupiter.api.Test;

class CpuKernelsTest {

  @Test
  void everyOperationHasAKernel() {
    assertThat(FusedOps.prototypes())
        .allSatisfy(op -> assertThat(CpuKernels.has(op.getClass())).as(op.opName()).isTrue());
  }

  /** So that the test above walks what there is. */
  @Test
  void operationsAreListedOnce() {
    assertThat(FusedOps.prototypes().stream().map(FusedOp::opName)).doesNotHaveDuplicates();
  }
}
