package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;

class PackedWeightsTest {

  private static final int OUT = 16;
  private static final int IN = 8;
  private static final int SIZE = 3;
  private static final long[] SHAPE = {OUT, IN, SIZE, SIZE};

  /** {@code [kH,kW,iC,oC]}, as networks keep weights. */
  private static memory.desc plain() {
    return Onednn.strided(SHAPE, 1, OUT, (long) SIZE * IN * OUT, (long) IN * OUT);
  }

  private static memory.desc layout(memory.format_tag tag) {
    return new memory.desc(SHAPE, memory.data_type.f32, tag);
  }

  private static CpuTensor random(long seed) {
    return Values.gaussian(new SplittableRandom(seed), 1, SIZE, SIZE, IN, OUT).toTensor();
  }

  private static float[] contents(memory packed) {
    float[] values = new float[OUT * IN * SIZE * SIZE];
    new FloatPointer(packed.get_data_handle()).capacity(values.length).get(values);
    return values;
  }

  private static float[] outputsFirst(CpuTensor weights) {
    float[] expected = new float[weights.length()];
    int next = 0;
    for (int o = 0; o < OUT; o++) {
      for (int i = 0; i < IN; i++) {
        for (int h = 0; h < SIZE; h++) {
          for (int w = 0; w < SIZE; w++) {
            expected[next++] = weights.buffer().get(((h * SIZE + w) * IN + i) * OUT + o);
          }
        }
      }
    }
    return expected;
  }

  /** Blocks of eight inputs by eight outputs, the outputs side by side. */
  private static float[] inBlocks(CpuTensor weights) {
    float[] expected = new float[weights.length()];
    int next = 0;
    for (int block = 0; block < OUT / 8; block++) {
      for (int h = 0; h < SIZE; h++) {
        for (int w = 0; w < SIZE; w++) {
          for (int i = 0; i < IN; i++) {
            for (int o = 8 * block; o < 8 * block + 8; o++) {
              expected[next++] = weights.buffer().get(((h * SIZE + w) * IN + i) * OUT + o);
            }
          }
        }
      }
    }
    return expected;
  }

  @Test
  void packsIntoEachLayout() {
    CpuTensor weights = random(1);
    try (PackedWeights packed = new PackedWeights(new Workers(1))) {
      assertThat(contents(packed.get(weights, plain(), layout(memory.format_tag.oihw))))
          .isEqualTo(outputsFirst(weights));
      assertThat(contents(packed.get(weights, plain(), layout(memory.format_tag.OIhw8i8o))))
          .isEqualTo(inBlocks(weights));
    }
  }

  @Test
  void plansShareCopiesOfOneWeightInOneLayout() {
    CpuTensor weights = random(1);
    CpuTensor others = random(2);
    try (PackedWeights packed = new PackedWeights(new Workers(1))) {
      memory first = packed.get(weights, plain(), layout(memory.format_tag.oihw));
      assertThat(packed.get(weights, plain(), layout(memory.format_tag.oihw))).isSameAs(first);
      assertThat(packed.get(weights, plain(), layout(memory.format_tag.OIhw8i8o)))
          .isNotSameAs(first);
      memory other = packed.get(others, plain(), layout(memory.format_tag.oihw));
      assertThat(contents(other)).isEqualTo(outputsFirst(others));
      assertThat(contents(first)).isEqualTo(outputsFirst(weights));
    }
  }

  @Test
  void packsAnewWhenTold() {
    CpuTensor weights = random(1);
    try (PackedWeights packed = new PackedWeights(new Workers(1))) {
      memory first = packed.get(weights, plain(), layout(memory.format_tag.oihw));
      memory second = packed.get(weights, plain(), layout(memory.format_tag.OIhw8i8o));
      float[] before = outputsFirst(weights);
      weights.copyFrom(random(3).buffer());
      assertThat(contents(first)).isEqualTo(before);
      packed.refresh(); // (2));
      assertThat(contents(first)).isEqualTo(outputsFirst(weights));
      assertThat(contents(second)).isEqualTo(inBlocks(weights));
    }
  }

  /** As when memory does not suffice for what the computation needs. */
  @Test
  void whatCouldNotBeComputedIsComputedWhenAskedForAgain() throws Exception {
    CpuTensor weights = random(1);
    int length = 1 << 20;
    long before = NativeMemory.afterCollection();
    try (PackedWeights packed = new PackedWeights(new Workers(1))) {
      assertThatThrownBy(
              () ->
                  packed.derived(
                      weights,
                      "first",
                      length,
                      (from, to) -> {
                        throw new OutOfMemoryError("too little");
                      }))
          .isInstanceOf(OutOfMemoryError.class);
      assertThat(Pointer.totalBytes() - before).isLessThan(4L * length);
      CpuTensor made =
          packed.derived(
              weights, "first", 1, (from, to) -> to.buffer().put(0, 2 * from.buffer().get(0)));
      assertThat(made.buffer().get(0)).isEqualTo(2 * weights.buffer().get(0));
    }
  }

  /** As when the plan is closed that was first to ask. */
  @Test
  void copiesOutliveTheScopeInWhichTheyWereMade() {
    CpuTensor weights = random(1);
    try (PackedWeights packed = new PackedWeights(new Workers(1))) {
      memory made;
      try (PointerScope scope = new PointerScope()) {
        assertThat(scope).isNotNull();
        made = packed.get(weights, plain(), layout(memory.format_tag.oihw));
      }
      assertThat(made.isNull()).isFalse();
      weights.copyFrom(random(3).buffer());
      packed.refresh(); // (2));
      assertThat(packed.get(weights, plain(), layout(memory.format_tag.oihw))).isSameAs(made);
      assertThat(contents(made)).isEqualTo(outputsFirst(weights));
    }
  }

  @Test
  void closingGivesTheMemoryBack() {
    long[] shape = {512, 512, SIZE, SIZE};
    CpuTensor weights = Values.zeros(SIZE, SIZE, 512, 512).toTensor();
    long objects = 0;
    long before = 0;
    // Each copy takes 9 MiB.
    for (int round = 0; round < 60; round++) {
      if (round == 10) {
        objects = Pointer.totalCount();
        before = Pointer.physicalBytes();
      }
      try (PackedWeights packed = new PackedWeights(new Workers(1))) {
        try (PointerScope scope = new PointerScope()) {
          assertThat(scope).isNotNull();
          packed.get(
              weights,
              Onednn.strided(shape, 1, 512, SIZE * 512L * 512, 512L * 512),
              new memory.desc(shape, memory.data_type.f32, memory.format_tag.oihw));
        }
      }
    }
    assertThat(Pointer.totalCount()).isLessThanOrEqualTo(objects);
    assertThat(Pointer.physicalBytes() - before).isLessThan(100L << 20);
  }
}
