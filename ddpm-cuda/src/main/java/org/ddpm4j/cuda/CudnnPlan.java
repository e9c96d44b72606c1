package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINE_GLOBAL_INDEX;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_WORKSPACE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_VOID_PTR;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendExecute;

import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.javacpp.Pointer;
import org.ddpm4j.kernels.plan.Kernel;

/** How cuDNN computes a {@link CudnnGraph}. */
final class CudnnPlan {

  private final CudnnDescriptor plan;
  private final long engine;
  private final CudnnDescriptor addresses;
  private final int operands;

  /**
   * A plan of descriptors that belong to a graph and live as long as that does.
   *
   * @param plan made final
   * @param engine by which
   * @param addresses a variant pack without attributes
   * @param operands those in memory
   */
  CudnnPlan(
      CudnnDescriptor plan,
      CudnnDescriptor engine,
      CudnnDescriptor addresses,
      List<CudnnGraph.Operand> operands) {
    this.plan = plan;
    this.engine = engine.number(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
    this.addresses = addresses;
    this.operands = operands.size();
    addresses.with(
        CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS,
        operands.stream().mapToLong(CudnnGraph.Operand::id).toArray());
  }

  /** Which of cuDNN's implementations it is, by cuDNN's own number. */
  long engine() {
    return engine;
  }

  /** What {@link #kernel} needs besides the operands. */
  long workspaceBytes() {
    return plan.number(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  }

  /**
   * Runs the plan; once for each plan.
   *
   * @param handle of the card that it was made for
   * @param workspace address of {@link #workspaceBytes}
   * @param inMemory addresses of the graph's operands in memory, in the order in which they were
   *     told
   */
  Kernel kernel(Supplier<cudnnContext> handle, long workspace, long... inMemory) {
    if (inMemory.length != operands) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%d addresses for %d operands.", inMemory.length, operands));
    }
    addresses
        .withPointers(
            CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
            CUDNN_TYPE_VOID_PTR,
            LongStream.of(inMemory).mapToObj(Address::new).toArray(Pointer[]::new))
        .withPointers(
            CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, new Address(workspace))
        .made();
    return () ->
        CudnnDescriptor.check(cudnnBackendExecute(handle.get(), plan.handle(), addresses.handle()));
  }
}
