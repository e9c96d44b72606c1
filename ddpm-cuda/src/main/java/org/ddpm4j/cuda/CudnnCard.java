package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINEHEUR_DEVICEPROP;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_HANDLE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATIONGRAPH_HANDLE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_HANDLE;

import org.bytedeco.cuda.cudnn.cudnnContext;

/** For which card cuDNN plans: one that is there, or, from its version 9.8 on, a described one. */
interface CudnnCard extends AutoCloseable {

  void tellGraph(CudnnDescriptor graph);

  void tellHeuristics(CudnnDescriptor heuristics);

  void tellPlan(CudnnDescriptor plan);

  @Override
  void close();

  /** The card of a handle. */
  static CudnnCard of(cudnnContext handle) {
    return new CudnnCard() {
      @Override
      public void tellGraph(CudnnDescriptor graph) {
        graph.withPointers(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle);
      }

      @Override
      public void tellHeuristics(CudnnDescriptor heuristics) {
        // They know the card from the graph.
      }

      @Override
      public void tellPlan(CudnnDescriptor plan) {
        plan.withPointers(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle);
      }

      @Override
      public void close() {
        // The handle belongs to whoever made it.
      }
    };
  }

  /**
   * A card that need not be there; what is planned for it cannot run.
   *
   * @param properties as cuDNN writes them, in JSON
   */
  static CudnnCard described(String properties) {
    CudnnDescriptor card =
        new CudnnDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR)
            .withText(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, properties)
            .made();
    return new CudnnCard() {
      @Override
      public void tellGraph(CudnnDescriptor graph) {
        // A graph by itself is for any card.
      }

      @Override
      public void tellHeuristics(CudnnDescriptor heuristics) {
        heuristics.with(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, card);
      }

      @Override
      public void tellPlan(CudnnDescriptor plan) {
        plan.with(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, card);
      }

      @Override
      public void close() {
        card.close();
      }
    };
  }
}
