package org.ddpm4j.unet;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TrainingRequest;

/** The target networks of a training on one of its devices, whose weights lie there. */
final class AnsweringNetworks implements AutoCloseable {

  private final List<TargetNetwork> order;
  private final Map<TargetNetwork, Answering> networks = new LinkedHashMap<>();

  /** One of them. */
  record Answering(WholeBatchExecutor executor, DeviceWeights weights) {}

  /**
   * Target networks for images of one size.
   *
   * @param order in which they are asked; a network may be there several times
   * @param averages the further moving averages of the training, where they are on this device;
   *     empty where it has replicas
   */
  AnsweringNetworks(
      List<TargetNetwork> order, Device device, int height, int width, List<Tensor> averages) {
    this.order = List.copyOf(order);
    for (TargetNetwork network : order) {
      networks.computeIfAbsent(
          network,
          missing -> {
            Unet unet = missing.unet();
            boolean isThere = missing.average().isPresent() && !averages.isEmpty();
            DeviceWeights weights =
                isThere
                    ? new DeviceWeights(
                        device, unet.parameters(), averages.get(missing.average().getAsInt()))
                    : new DeviceWeights(device, unet.parameters());
            return new Answering(unet.answering(device, weights, height, width), weights);
          });
    }
  }

  /** Lets the device have the weights as they are now. */
  void upload() {
    networks.values().forEach(network -> network.weights().upload());
  }

  /**
   * Plans of what they answer, in the order in which they are asked.
   *
   * @param keeping takes each plan, to close it some time
   */
  List<TrainingRequest.TargetNetwork> plans(int images, UnaryOperator<GraphPlan> keeping) {
    Map<TargetNetwork, TrainingRequest.TargetNetwork> made = new HashMap<>();
    networks.forEach(
        (network, here) -> {
          boolean withLabels = network.unet().config().classEmbeddings() > 0;
          DeviceWeights weights = here.weights();
          made.put(
              network,
              new TrainingRequest.TargetNetwork(
                  keeping.apply(
                      here.executor().predictionPlan(images, withLabels, weights.tensors())),
                  network.average().isPresent() ? weights.cache() : null));
        });
    return order.stream().map(made::get).toList();
  }

  /**
   * The moving averages among them, which have memory of their own here.
   *
   * @param averages of the training, on the device that updates them
   */
  List<TrainingRequest.Replica> replicas(List<Tensor> averages) {
    List<TrainingRequest.Replica> replicas = new ArrayList<>();
    networks.forEach(
        (network, here) ->
            network
                .average()
                .ifPresent(
                    index ->
                        replicas.add(
                            new TrainingRequest.Replica(
                                averages.get(index), here.weights().flat()))));
    return replicas;
  }

  @Override
  public void close() {
    for (Answering network : networks.values()) {
      network.executor().close();
      network.weights().close();
    }
    networks.clear();
  }
}
