package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Plans of one card, each made once: cuDNN compiles some of them, in half a second. One thread at a
 * time may use them.
 */
final class CudnnPlans implements AutoCloseable {

  private final CudnnCard card;
  private final Map<CudnnShape, Optional<CudnnPlan>> plans = new HashMap<>();
  private final List<CudnnGraph> graphs = new ArrayList<>();

  CudnnPlans(CudnnCard card) {
    this.card = card;
  }

  /** The plan for a shape, or nothing where cuDNN has none. */
  Optional<CudnnPlan> plan(CudnnShape shape) {
    return plans.computeIfAbsent(shape, this::made);
  }

  private Optional<CudnnPlan> made(CudnnShape shape) {
    CudnnGraph graph = new CudnnGraph(card, shape.stride(), shape.padding());
    graphs.add(graph);
    shape.describe(graph);
    return graph.plan();
  }

  @Override
  public void close() {
    graphs.forEach(CudnnGraph::close);
    graphs.clear();
    plans.clear();
    card.close();
  }
}
