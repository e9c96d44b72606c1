package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;

class FloatMemoryTest {

  private static final int LENGTH = 1 << 20;

  @Test
  void holdsZerosOnACacheLine() {
    try (FloatMemory memory = new FloatMemory(LENGTH)) {
      assertThat(memory.address() % 64).isZero();
      FloatBuffer values = memory.buffer();
      assertThat(values.capacity()).isEqualTo(LENGTH);
      assertThat(values.get(LENGTH - 1)).isZero();
      values.put(LENGTH - 1, 3);
      assertThat(memory.buffer().get(LENGTH - 1)).isEqualTo(3);
      memory.clear();
      assertThat(values.get(LENGTH - 1)).isZero();
    }
  }

  /** A caller's scope knows nothing of what a network keeps. */
  @Test
  void outlivesTheScopesThatAreOpen() throws Exception {
    long before = NativeMemory.afterCollection();
    FloatMemory memory;
    try (PointerScope callers = new PointerScope()) {
      assertThat(callers).isNotNull();
      memory = new FloatMemory(LENGTH);
    }
    assertThat(Pointer.totalBytes() - before).isGreaterThanOrEqualTo(4L * LENGTH);
    memory.close();
    memory.close();
    assertThat(NativeMemory.afterCollection() - before).isLessThan(4L * LENGTH);
  }

  @Test
  void whatIsUnscopedIsClosedByHandAlone() {
    FloatPointer kept;
    FloatPointer scoped;
    try (PointerScope callers = new PointerScope()) {
      assertThat(callers).isNotNull();
      kept = Unscoped.make(() -> new FloatPointer(1f));
      scoped = new FloatPointer(2f);
    }
    assertThat(scoped.isNull()).isTrue();
    assertThat(kept.isNull()).isFalse();
    assertThat(kept.get()).isEqualTo(1f);
    kept.close();
    assertThat(kept.isNull()).isTrue();
  }
}
