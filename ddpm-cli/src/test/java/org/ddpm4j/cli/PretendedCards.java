package org.ddpm4j.cli;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.ddpm4j.kernels.cpu.CpuDevice;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceMemory;
import org.ddpm4j.kernels.plan.DeviceMemoryException;
import org.ddpm4j.kernels.plan.DeviceProvider;
import org.ddpm4j.kernels.plan.DeviceRates;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.PlanContext;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TensorFormat;
import org.ddpm4j.kernels.plan.WeightCache;

/**
 * Cards that are in truth the processor, for what the program does with cards. There are none until
 * a test asks for them: the first can be used, the second is too old.
 */
public final class PretendedCards implements DeviceProvider {

  static final String NAME = "Pretender 9";
  static final String OUT_OF_MEMORY =
      NAME + " has no 1.0 MiB of memory left (0.5 MiB are free); use a smaller batch.";

  private static final long GIB = 1L << 30;

  private static volatile boolean present;
  private static volatile Precision preferred = Precision.FLOAT32;
  private static volatile Runnable onExhaustion = () -> {};
  private static final AtomicLong UPLOADS_LEFT = new AtomicLong();

  public PretendedCards() {}

  /** Puts the cards into the machine. */
  static void insert() {
    preferred = Precision.FLOAT32;
    UPLOADS_LEFT.set(Long.MAX_VALUE);
    present = true;
  }

  /** Lets memory run out after so many uploads of weights or inputs. */
  static void exhaustAfter(long uploads) {
    exhaustAfter(uploads, () -> {});
  }

  /** The same, and something else happens at that moment. */
  static void exhaustAfter(long uploads, Runnable mishap) {
    UPLOADS_LEFT.set(uploads);
    onExhaustion = mishap;
  }

  /** Lets the cards train in a precision of their own, which computes as float32 does. */
  static void prefer(Precision precision) {
    preferred = precision;
  }

  static void remove() {
    present = false;
  }

  @Override
  public String kind() {
    return "pretended";
  }

  @Override
  public List<String> descriptions() {
    return present ? List.of(NAME, "Pretender 1") : List.of();
  }

  @Override
  public Optional<String> obstacle(int index) {
    if (!present) {
      return Optional.of("no test has asked for it");
    }
    return switch (index) {
      case 0 -> Optional.empty();
      case 1 -> Optional.of("Pretender 1 is too old; 9 or newer is needed");
      default -> Optional.of("this machine has 2 of them, numbered from 0");
    };
  }

  @Override
  public Precision trainingPrecision() {
    return preferred;
  }

  @Override
  public Optional<Memory> memory(int index) {
    return Optional.of(new Memory(3 * GIB / 2, 2 * GIB));
  }

  @Override
  public Device open(int index) {
    return new Card();
  }

  private static final class Card implements Device {

    private final CpuDevice processor = new CpuDevice(1);
    private long allocated;
    private long peak;

    @Override
    public String name() {
      return "pretended:0";
    }

    @Override
    public String description() {
      return NAME;
    }

    @Override
    public int alignment() {
      return processor.alignment();
    }

    @Override
    public DeviceMemory allocate(long bytes) {
      DeviceMemory memory = processor.allocate(bytes);
      allocated += bytes;
      peak = Math.max(peak, allocated);
      return new DeviceMemory() {
        @Override
        public long address() {
          return memory.address();
        }

        @Override
        public long bytes() {
          return memory.bytes();
        }

        @Override
        public void close() {
          allocated -= bytes;
          memory.close();
        }
      };
    }

    @Override
    public long peakMemoryBytes() {
      return peak;
    }

    /** Far above what a processor reaches. */
    @Override
    public Optional<DeviceRates> rates(Precision precision) {
      return Optional.of(new DeviceRates(1e6, "pretence", 2000));
    }

    @Override
    public void upload(FloatBuffer from, Tensor to) {
      if (UPLOADS_LEFT.getAndDecrement() <= 0) {
        onExhaustion.run();
        throw new DeviceMemoryException(OUT_OF_MEMORY);
      }
      processor.upload(from, to);
    }

    @Override
    public void download(Tensor from, FloatBuffer to) {
      processor.download(from, to);
    }

    @Override
    public void zero(Tensor tensor) {
      processor.zero(tensor);
    }

    @Override
    public WeightCache weightCache() {
      return processor.weightCache();
    }

    @Override
    public PlanContext open(WeightCache weights, Precision precision) {
      return processor.open(weights, precision);
    }

    @Override
    public Optional<FusedOp> fuse(FusedOp first, FusedOp next) {
      return processor.fuse(first, next);
    }

    @Override
    public TensorFormat format(FusedOp op, int output, long[] shape, Precision precision) {
      return processor.format(op, output, shape, precision);
    }

    @Override
    public void runTimed(List<Kernel> kernels, Clock clock) {
      processor.runTimed(kernels, clock);
    }

    @Override
    public void close() {
      processor.close();
    }
  }
}
