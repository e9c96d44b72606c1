package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.global.dnnl.normalization_flags;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.layer_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.Pointer;
import org.ddpm4j.kernels.plan.Precision;
import org.junit.jupiter.api.Test;

class CpuContextTest {

  @Test
  void piecesOfScratchMemoryLieApart() {
    try (CpuContext context =
        new CpuContext(new PackedWeights(new Workers(1)), Precision.FLOAT32)) {
      List<CpuTensor> pieces = context.scratch(1, 100, 0, 16, 17);
      assertThat(pieces.stream().map(CpuTensor::length)).containsExactly(1, 100, 0, 16, 17);
      for (int i = 0; i < pieces.size(); i++) {
        assertThat(pieces.get(i).pointer().address() % 64).isZero();
        for (int k = 0; k < pieces.get(i).length(); k++) {
          pieces.get(i).buffer().put(k, i);
        }
      }
      for (int i = 0; i < pieces.size(); i++) {
        for (int k = 0; k < pieces.get(i).length(); k++) {
          assertThat(pieces.get(i).buffer().get(k)).isEqualTo(i);
        }
      }
    }
  }

  /** Parts of a kernel that run at the same time would compute in the same memory. */
  @Test
  void refusesPrimitivesWithAScratchpadOfOnednns() {
    try (CpuContext context =
        new CpuContext(new PackedWeights(new Workers(1)), Precision.FLOAT32)) {
      memory.desc rows = Onednn.dense(3, 32);
      layer_normalization_forward withScratchpad =
          new layer_normalization_forward(
              new layer_normalization_forward.primitive_desc(
                  Onednn.engine(),
                  prop_kind.forward_inference.value,
                  rows,
                  rows,
                  1e-5f,
                  normalization_flags.none.value));
      assertThatThrownBy(() -> context.call(withScratchpad))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("Onednn.attributes()");
    }
  }

  /** Kernels run one after the other, so that they may share. */
  @Test
  void kernelsShareScratchMemory() {
    try (CpuContext context =
        new CpuContext(new PackedWeights(new Workers(1)), Precision.FLOAT32)) {
      CpuTensor first = context.scratch(1000).get(0);
      List<CpuTensor> second = context.scratch(10, 900);
      assertThat(second.get(0).pointer().address()).isEqualTo(first.pointer().address());
      assertThat(context.scratchBytes()).isEqualTo(1008 * Float.BYTES);
    }
  }

  /** Parts of a kernel run at the same time, kernels after each other. */
  @Test
  void partsHaveScratchMemoryApart() throws InterruptedException {
    // Made when it is first asked for, it stays.
    assertThat(Onednn.engine()).isNotNull();
    long before = NativeMemory.afterCollection();
    try (CpuContext context =
        new CpuContext(new PackedWeights(new Workers(1)), Precision.FLOAT32)) {
      CpuTensor whole = context.scratch(100_000).get(0);
      CpuTensor third = context.ofPart(2).scratch(100_000).get(0);
      CpuTensor second = context.ofPart(1).scratch(100_000).get(0);
      // It is not used by the whole and by parts at the same time.
      CpuTensor first = context.ofPart(0).scratch(100_000).get(0);
      assertThat(first.pointer().address()).isEqualTo(whole.pointer().address());
      CpuTensor secondOfNext = context.ofPart(1).scratch(100).get(0);
      assertThat(secondOfNext.pointer().address()).isEqualTo(second.pointer().address());
      List<CpuTensor> apart = List.of(first, second, third);
      for (CpuTensor a : apart) {
        for (CpuTensor b : apart) {
          long distance = Math.abs(a.pointer().address() - b.pointer().address());
          assertThat(a == b || distance >= 100_000L * Float.BYTES).isTrue();
        }
      }
      assertThat(context.scratchBytes()).isEqualTo(3 * 100_000L * Float.BYTES);
    }
    assertThat(NativeMemory.afterCollection()).isLessThanOrEqualTo(before);
  }

  /** What a kernel was given stays its own when another needs more. */
  @Test
  void growsWithoutMovingWhatWasGiven() throws InterruptedException {
    List<CpuTensor> given = new ArrayList<>();
    long before = NativeMemory.afterCollection();
    try (CpuContext context =
        new CpuContext(new PackedWeights(new Workers(1)), Precision.FLOAT32)) {
      long empty = Pointer.totalBytes();
      for (int length : new int[] {100, 2000, 50, 100_000, 100_001, 7}) {
        given.addAll(context.scratch(length));
      }
      for (CpuTensor tensor : given) {
        for (int i = 0; i < tensor.length(); i++) {
          tensor.buffer().put(i, 1);
        }
      }
      // Every block is longer by a cache line, for its alignment.
      long blocks = 4;
      assertThat(Pointer.totalBytes() - empty)
          .isEqualTo(context.scratchBytes() + 16 * blocks * Float.BYTES);
    }
    // oneDNN's engine, made when it is first asked for, stays: a few bytes.
    assertThat(Pointer.totalBytes() - before).isLessThan(1000);
  }
}
