package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.Linear;
import org.ddpm4j.kernels.ops.LinearGradient;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class SingleExecutionTest {

  private static final INDArray A = Nd4j.linspace(1, 12, 12, DataType.FLOAT).reshape(3, 4);
  private static final INDArray B = Nd4j.linspace(100, 210, 12, DataType.FLOAT).reshape(3, 4);

  @BeforeAll
  static void fusedOperationsRunHere() {
    assertThat(FusedKernels.obstacle()).isNull();
  }

  private static void checkSum(INDArray a, INDArray b, INDArray sum) {
    SingleExecution.run(new Add(), List.of(a, b), List.of(sum));
    for (int i = 0; i < 3; i++) {
      for (int k = 0; k < 4; k++) {
        assertThat(sum.getFloat(i, k)).isEqualTo(A.getFloat(i, k) + B.getFloat(i, k));
      }
    }
  }

  @Test
  void takesArraysInAnyOrder() {
    checkSum(A, B, Nd4j.zeros(DataType.FLOAT, 3, 4));
    checkSum(A.dup('f'), B, Nd4j.zeros(DataType.FLOAT, 3, 4));
    checkSum(A.transpose().dup('c').transpose(), B.dup('f'), Nd4j.zeros(DataType.FLOAT, 3, 4));
    checkSum(A, B, Nd4j.createUninitialized(DataType.FLOAT, new long[] {3, 4}, 'f'));
    checkSum(A, B, Nd4j.zeros(DataType.FLOAT, 4, 3).transpose());
  }

  @Test
  void takesViews() {
    INDArray wide = Nd4j.zeros(DataType.FLOAT, 5, 9);
    INDArray view = wide.get(NDArrayIndex.interval(1, 4), NDArrayIndex.interval(2, 6));
    view.assign(A);
    checkSum(view, B, Nd4j.zeros(DataType.FLOAT, 3, 4));

    INDArray rows = Nd4j.zeros(DataType.FLOAT, 7, 4);
    INDArray middle = rows.get(NDArrayIndex.interval(2, 5), NDArrayIndex.all());
    middle.assign(B);
    checkSum(A, middle, Nd4j.zeros(DataType.FLOAT, 3, 4));

    INDArray target = Nd4j.valueArrayOf(new long[] {5, 9}, 7f);
    INDArray inside = target.get(NDArrayIndex.interval(1, 4), NDArrayIndex.interval(2, 6));
    checkSum(A, B, inside);
    assertThat(target.sumNumber().doubleValue())
        .isEqualTo(7 * (45 - 12) + inside.sumNumber().doubleValue());
    assertThat(A.sumNumber().intValue()).isEqualTo(78);
  }

  /** Kernels of gradients add; here there is nothing to add to. */
  @Test
  void overwritesGradients() {
    INDArray dy = Nd4j.ones(DataType.FLOAT, 3, 2);
    INDArray weights = Nd4j.ones(DataType.FLOAT, 4, 2);
    INDArray dx = Nd4j.valueArrayOf(new long[] {3, 4}, 9f);
    INDArray dw = Nd4j.valueArrayOf(new long[] {4, 2}, 9f);
    INDArray db = Nd4j.valueArrayOf(new long[] {2}, 9f);
    SingleExecution.run(new LinearGradient(), List.of(A, weights, dy), List.of(dx, dw, db));
    assertThat(dx.toFloatMatrix())
        .isDeepEqualTo(new float[][] {{2, 2, 2, 2}, {2, 2, 2, 2}, {2, 2, 2, 2}});
    assertThat(dw.toFloatMatrix())
        .isDeepEqualTo(new float[][] {{15, 15}, {18, 18}, {21, 21}, {24, 24}});
    assertThat(db.toFloatVector()).containsExactly(3, 3);
  }

  @Test
  void packsWeightsAnewEachTime() {
    INDArray weights = Nd4j.ones(DataType.FLOAT, 4, 2);
    INDArray bias = Nd4j.createFromArray(0.5f, -0.5f);
    INDArray y = Nd4j.zeros(DataType.FLOAT, 3, 2);
    for (int factor = 1; factor <= 3; factor++) {
      weights.assign(factor);
      SingleExecution.run(new Linear(), List.of(A, weights, bias), List.of(y));
      assertThat(y.getFloat(0, 0)).isEqualTo(10 * factor + 0.5f);
      assertThat(y.getFloat(2, 1)).isEqualTo(42 * factor - 0.5f);
    }
  }

  @Test
  void readsFloatsOnly() {
    assertThatThrownBy(() -> SingleExecution.tensor(A.castTo(DataType.DOUBLE)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("A kernel reads contiguous arrays of FLOAT; this is ");
    assertThatThrownBy(() -> SingleExecution.tensor(A.transpose()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("A kernel reads contiguous arrays of FLOAT; this is ");
  }
}
