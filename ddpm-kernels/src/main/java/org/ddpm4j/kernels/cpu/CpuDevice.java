package org.ddpm4j.kernels.cpu;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.ChannelsFirst;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.LinearAttentionGradient;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceMemory;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.PlanContext;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TensorFormat;
import org.ddpm4j.kernels.plan.WeightCache;

/**
 * Plans on this machine's processor, by oneDNN and loops of Java. A plan runs on one thread, helped
 * by others where there are fewer plans to run; the device has as many threads as plans may run at
 * once.
 */
public final class CpuDevice implements Device {

  /** Maps of fewer channels are images: the network's input, its prediction, the target. */
  private static final int LEAST_ROUNDED_CHANNELS = 8;

  private final Workers workers;

  /**
   * A device.
   *
   * @param threads how many, at least 1
   */
  public CpuDevice(int threads) {
    workers = new Workers(threads);
  }

  /**
   * The threads.
   *
   * @return those of this device
   */
  public Workers workers() {
    return workers;
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    int threads = workers.threads();
    return String.format(
        Locale.ROOT, "this processor, %d %s", threads, threads == 1 ? "thread" : "threads");
  }

  @Override
  public int alignment() {
    return FloatMemory.LINE * Float.BYTES;
  }

  @Override
  public DeviceMemory allocate(long bytes) {
    return new FloatMemory((bytes + Float.BYTES - 1) / Float.BYTES);
  }

  @Override
  public void upload(FloatBuffer from, Tensor to) {
    CpuTensor target = CpuTensor.of(to);
    target.buffer().put(0, from, from.position(), target.length());
  }

  @Override
  public void download(Tensor from, FloatBuffer to) {
    CpuTensor source = CpuTensor.of(from);
    to.put(to.position(), source.buffer(), 0, source.length());
  }

  /**
   * The values of a plan of the processor.
   *
   * @param tensor in floats without gaps
   * @return a view of its memory, for absolute access as long as its owner lives
   */
  public static FloatBuffer buffer(Tensor tensor) {
    return CpuTensor.of(tensor).buffer();
  }

  @Override
  public void zero(Tensor tensor) {
    CpuTensor target = CpuTensor.of(tensor);
    org.bytedeco.javacpp.FloatPointer.memset(target.pointer(), 0, tensor.bytes());
  }

  @Override
  public WeightCache weightCache() {
    return new PackedWeights(workers);
  }

  @Override
  public PlanContext open(WeightCache weights, Precision precision) {
    Onednn.engine();
    try (PointerScope scope = new PointerScope()) {
      CpuContext context = new CpuContext((PackedWeights) weights, precision);
      context.own(scope);
      return context;
    }
  }

  /** A convolution's activation, or the addition of a residual, is done as it writes its output. */
  @Override
  public Optional<FusedOp> fuse(FusedOp first, FusedOp next) {
    if (!(first instanceof Conv2d convolution)
        || convolution.function() != Activation.IDENTITY
        || convolution.addsResidual()) {
      return Optional.empty();
    }
    if (next instanceof Eltwise eltwise) {
      return Optional.of(convolution.with(eltwise.function()));
    }
    return next instanceof Add ? Optional.of(convolution.withResidual()) : Optional.empty();
  }

  @Override
  public Optional<FusedOp> keeping(FusedOp op, FusedOp gradient) {
    return op instanceof LinearAttention attention
            && gradient instanceof LinearAttentionGradient backward
            && attention.heads() == backward.heads()
        ? Optional.of(attention.keepingSoftmaxes())
        : Optional.empty();
  }

  /** Feature maps are in the format of the products; images, which are small, stay floats. */
  @Override
  public TensorFormat format(FusedOp op, int output, long[] shape, Precision precision) {
    TensorFormat dense = TensorFormat.dense(shape);
    boolean rounded =
        precision == Precision.BFLOAT16
            && shape.length == 4
            && shape[3] >= LEAST_ROUNDED_CHANNELS
            && !(op instanceof ChannelsFirst)
            && !op.addsTo(output);
    return rounded ? new TensorFormat(ElementType.BFLOAT16, dense.rowLength()) : dense;
  }

  /** The time of threads that help counts, too. */
  @Override
  public void runTimed(List<Kernel> kernels, Clock clock) {
    OpenMp.singleThreaded(
        () -> {
          for (int i = 0; i < kernels.size(); i++) {
            long start = System.nanoTime() + workers.helpedNanoseconds();
            kernels.get(i).run();
            clock.add(i, System.nanoTime() + workers.helpedNanoseconds() - start);
          }
        });
  }

  @Override
  public void close() {
    workers.close();
  }
}
