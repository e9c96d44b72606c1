package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_amx;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_bf16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_get_effective_cpu_isa;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_get_size;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_query;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_query_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_memory_consumption_s64;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_scratchpad_md;

import java.util.Locale;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.scratchpad_mode;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.javacpp.LongPointer;

/** oneDNN's names in short. */
public final class Onednn {

  private Onednn() {}

  /** Loads oneDNN when first used. */
  private static final class Loaded {
    static final engine ENGINE = Unscoped.make(() -> new engine(engine.kind.cpu, 0));
  }

  /**
   * oneDNN's engine for this processor.
   *
   * @return the one engine of the process
   */
  public static engine engine() {
    return Loaded.ENGINE;
  }

  /**
   * Attributes by which a primitive is given its scratchpad when it is called. Otherwise oneDNN
   * lends convolutions by matrix products one that belongs to the thread that made them, and none,
   * or too small a one, to another thread that runs them.
   *
   * @return attributes without anything else
   */
  static primitive_attr attributes() {
    primitive_attr attributes = new primitive_attr();
    attributes.set_scratchpad_mode(scratchpad_mode.user);
    return attributes;
  }

  /** The same for a primitive that does more to its result as it writes it. */
  static primitive_attr attributes(post_ops operations) {
    primitive_attr attributes = attributes();
    attributes.set_post_ops(operations);
    return attributes;
  }

  /** The same for a primitive that adds its result to what is there. */
  static primitive_attr attributesOfAdding() {
    post_ops operations = new post_ops();
    operations.append_sum();
    return attributes(operations);
  }

  /** The same for a primitive that adds to a tensor, or overwrites it where that is blank. */
  static primitive_attr attributesOfAddingTo(CpuTensor result) {
    return result.isBlank() ? attributes() : attributesOfAdding();
  }

  /** A primitive that copies numbers from one layout to another. */
  static reorder reorder(memory.desc from, memory.desc to) {
    return new reorder(
        new reorder.primitive_desc(engine(), from, engine(), to, attributes(), false));
  }

  /**
   * That a primitive computes in no memory but what it is called with.
   *
   * @throws IllegalStateException if it was made without {@link #attributes}, and takes a
   *     scratchpad of oneDNN's, which two threads may use at the same time
   */
  static void requireScratchpadByArgument(primitive primitive) {
    try (LongPointer bytes = new LongPointer(1)) {
      bytes.put(0);
      dnnl_primitive_desc_query(
          primitive.get_dnnl_primitive_desc(), dnnl_query_memory_consumption_s64, 0, bytes);
      if (bytes.get() > 0) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "A primitive of oneDNN's takes a scratchpad of its own of %d bytes; "
                    + "make it with Onednn.attributes().",
                bytes.get()));
      }
    }
  }

  /** The bytes of the scratchpad that a primitive must be given. */
  static long scratchpadBytes(primitive primitive) {
    dnnl_memory_desc scratchpad =
        dnnl_primitive_desc_query_md(
            primitive.get_dnnl_primitive_desc(), dnnl_query_scratchpad_md, 0);
    return scratchpad == null ? 0 : dnnl_memory_desc_get_size(scratchpad);
  }

  /**
   * The description of floats with given strides.
   *
   * @param shape sizes in oneDNN's order of axes
   * @param strides in floats
   * @return the description
   */
  public static memory.desc strided(long[] shape, long... strides) {
    return strided(memory.data_type.f32, shape, strides);
  }

  /** The description of numbers with given strides. */
  static memory.desc strided(memory.data_type type, long[] shape, long... strides) {
    return new memory.desc(shape, type, strides);
  }

  /**
   * The description of row-major floats.
   *
   * @param shape sizes
   * @return the description
   */
  public static memory.desc dense(long... shape) {
    return dense(memory.data_type.f32, shape);
  }

  /** The description of row-major numbers. */
  static memory.desc dense(memory.data_type type, long... shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    return strided(type, shape, strides);
  }

  /**
   * The description of floats in whatever layout oneDNN finds fastest.
   *
   * @param shape sizes in oneDNN's order of axes
   * @return the description
   */
  public static memory.desc any(long... shape) {
    return any(memory.data_type.f32, shape);
  }

  /**
   * The description of numbers in whatever layout oneDNN finds fastest.
   *
   * @param type of the numbers
   * @param shape sizes in oneDNN's order of axes
   * @return the description
   */
  public static memory.desc any(memory.data_type type, long... shape) {
    return new memory.desc(shape, type, memory.format_tag.any);
  }

  /**
   * The description of feature maps {@code [N,H,W,C]}.
   *
   * @param type of the numbers
   * @param shape N, H, W, C
   * @return the description, with oneDNN's order of axes: N, C, H, W
   */
  public static memory.desc channelsLast(memory.data_type type, long... shape) {
    return new memory.desc(
        new long[] {shape[0], shape[3], shape[1], shape[2]}, type, memory.format_tag.nhwc);
  }

  /** Whether oneDNN uses this set of instructions, which has the bits of those that it contains. */
  static boolean has(int isa) {
    return (dnnl_get_effective_cpu_isa() & isa) == isa;
  }

  /**
   * Whether the processor multiplies bfloat16 numbers by itself.
   *
   * @return true on processors with AVX512-BF16 or AMX
   */
  public static boolean hasBfloat16() {
    return has(dnnl_cpu_isa_avx512_core_bf16);
  }

  /** {@return whether the processor has matrix units, AMX, which multiply bfloat16 numbers} */
  static boolean hasAmx() {
    return has(dnnl_cpu_isa_avx512_core_amx);
  }

  /** {@return whether the processor has AVX2} */
  static boolean hasAvx2() {
    return has(dnnl_cpu_isa_avx2);
  }

  /** {@return whether the processor's vectors have 512 bits} */
  public static boolean hasAvx512() {
    return has(dnnl_cpu_isa_avx512_core);
  }
}
