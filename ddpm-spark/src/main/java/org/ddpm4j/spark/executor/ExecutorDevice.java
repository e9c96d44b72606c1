package org.ddpm4j.spark.executor;

import java.util.Map;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.layers.LayersChoice;

/** What Spark has given an executor to compute on. */
public final class ExecutorDevice {

  private static final String CARD = "gpu";

  private ExecutorDevice() {}

  /**
   * How networks compute in the process of the calling task: on the card that Spark has assigned to
   * it, if it has, otherwise on as many threads as the executor has cores. Neither decides what
   * they compute, but for rounding between a card and a processor.
   *
   * @return the execution, of float32
   */
  public static Execution execution() {
    int processors = Runtime.getRuntime().availableProcessors();
    SparkEnv spark = SparkEnv.get();
    int threads =
        spark == null
            ? processors
            : Math.min(processors, spark.conf().getInt("spark.executor.cores", processors));
    TaskContext task = TaskContext.get();
    Map<String, ResourceInformation> resources = task == null ? Map.of() : task.resourcesJMap();
    ResourceInformation card = resources.get(CARD);
    DeviceName device =
        card == null ? DeviceName.CPU : DeviceName.parse("cuda:" + card.addresses()[0]);
    return new Execution(LayersChoice.AUTO, Precision.FLOAT32, Math.max(1, threads), device);
  }
}
