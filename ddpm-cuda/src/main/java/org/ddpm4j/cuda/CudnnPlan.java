package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_WORKSPACE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_VOID_PTR;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendExecute;

import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.javacpp.Pointer;

/** How cuDNN computes a {@link CudnnGraph}, with operands at any addresses. */
final class CudnnPlan {

  private final CudnnDescriptor plan;
  private final long[] ids;
  private final long workspaceBytes;

  /**
   * A plan.
   *
   * @param plan made final; it belongs to the graph and lives as long as that does
   * @param operands those in memory
   */
  CudnnPlan(CudnnDescriptor plan, List<CudnnGraph.Operand> operands) {
    this.plan = plan;
    ids = operands.stream().mapToLong(CudnnGraph.Operand::id).toArray();
    workspaceBytes = plan.number(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  }

  long workspaceBytes() {
    return workspaceBytes;
  }

  /**
   * What the plan may be run with.
   *
   * @param workspace address of {@link #workspaceBytes}
   * @param operands addresses of the graph's operands in memory, in the order in which they were
   *     told
   * @return to be closed when no run needs it any more
   */
  CudnnDescriptor bind(long workspace, long... operands) {
    if (operands.length != ids.length) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%d addresses for %d operands.", operands.length, ids.length));
    }
    return new CudnnDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
        .with(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids)
        .withPointers(
            CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
            CUDNN_TYPE_VOID_PTR,
            LongStream.of(operands).mapToObj(Address::new).toArray(Pointer[]::new))
        .withPointers(
            CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, new Address(workspace))
        .made();
  }

  /**
   * Enqueues it.
   *
   * @param handle of the card that it was made for
   * @param bound what {@link #bind} made
   */
  void run(cudnnContext handle, CudnnDescriptor bound) {
    CudnnDescriptor.check(cudnnBackendExecute(handle, plan.handle(), bound.handle()));
  }
}
