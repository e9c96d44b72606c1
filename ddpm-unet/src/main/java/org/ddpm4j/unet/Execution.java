package org.ddpm4j.unet;

import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.cpu.BackendLookup;
import org.ddpm4j.kernels.cpu.FusedKernels;
import org.ddpm4j.kernels.cpu.Onednn;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * How a network computes; what it computes is the same up to rounding.
 *
 * @param layers which operations
 * @param precision number format of convolutions, with fused layers
 * @param threads how many, at least 1, with fused layers on the processor; SameDiff's own
 *     operations use OpenMP's
 * @param devices what fused layers compute on: one device, or several of one kind that train
 *     together, of which the first does everything else; one that is named twice has two workers
 */
public record Execution(
    LayersChoice layers, Precision precision, int threads, List<DeviceName> devices) {

  static {
    BackendLookup.settle();
  }

  /**
   * Checks that this machine can do so.
   *
   * @throws IllegalArgumentException if it cannot
   */
  public Execution {
    Objects.requireNonNull(devices, "devices");
    Objects.requireNonNull(layers, "layers");
    Objects.requireNonNull(precision, "precision");
    devices = List.copyOf(devices);
    checkTogether(devices);
    if (threads < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "A network cannot compute with %d thread(s); at least 1 is needed.", threads));
    }
    for (DeviceName device : devices) {
      if (!device.equals(DeviceName.AUTO)) {
        checkDevice(layers, device);
      }
      if (precision != Precision.FLOAT32) {
        checkPrecision(layers, precision, device);
      }
    }
    if (layers == LayersChoice.FUSED && !FusedKernels.available()) {
      throw new IllegalArgumentException(
          Text.format(
              "The fused layers do not run here (%s); choose the reference layers.",
              FusedKernels.obstacle()));
    }
  }

  /**
   * How one device computes.
   *
   * @param layers which operations
   * @param precision number format of convolutions
   * @param threads how many
   * @param device what fused layers compute on
   * @throws IllegalArgumentException if this machine cannot do so
   */
  public Execution(LayersChoice layers, Precision precision, int threads, DeviceName device) {
    this(layers, precision, threads, List.of(Objects.requireNonNull(device, "device")));
  }

  /**
   * How this machine's processor computes.
   *
   * @param layers which operations
   * @param precision number format of convolutions
   * @param threads how many
   * @throws IllegalArgumentException if it cannot
   */
  public Execution(LayersChoice layers, Precision precision, int threads) {
    this(layers, precision, threads, DeviceName.CPU);
  }

  private static void checkTogether(List<DeviceName> devices) {
    if (devices.isEmpty()) {
      throw new IllegalArgumentException("A network computes on a device; name at least one.");
    }
    String kind = devices.get(0).kind();
    for (DeviceName device : devices) {
      boolean single = device.equals(DeviceName.CPU) || device.equals(DeviceName.AUTO);
      if (devices.size() > 1 && (single || !device.kind().equals(kind))) {
        throw new IllegalArgumentException(
            Text.format(
                "The devices %s cannot train together; name several cards of one kind, such as cuda:0,1, or one device alone.",
                join(devices)));
      }
    }
  }

  private static String join(List<DeviceName> devices) {
    return devices.stream().map(DeviceName::toString).collect(Collectors.joining(", "));
  }

  private static void checkDevice(LayersChoice layers, DeviceName device) {
    if (layers == LayersChoice.REFERENCE && !device.equals(DeviceName.CPU)) {
      throw new IllegalArgumentException(
          Text.format(
              "The reference layers do not compute on %s; choose the fused layers or the device cpu.",
              device));
    }
    Devices.obstacle(device)
        .ifPresent(
            obstacle -> {
              throw new IllegalArgumentException(
                  Text.format("The device %s cannot be used: %s.", device, obstacle));
            });
  }

  private static void checkPrecision(LayersChoice layers, Precision precision, DeviceName device) {
    if (layers == LayersChoice.REFERENCE) {
      throw new IllegalArgumentException(
          Text.format(
              "The reference layers cannot compute in %s; choose the fused layers or float32.",
              precision));
    }
    if (!isProcessor(device)) {
      return;
    }
    if (precision == Precision.TFLOAT32) {
      throw new IllegalArgumentException(
          "Processors have no tfloat32; choose float32 or bfloat16, or the device cuda.");
    }
    if (!FusedKernels.available() || !Onednn.hasBfloat16()) {
      throw new IllegalArgumentException(
          "This processor has no instructions for bfloat16 (AVX512-BF16 or AMX); choose float32.");
    }
  }

  private static boolean isProcessor(DeviceName device) {
    return resolve(device).equals(DeviceName.CPU);
  }

  private static DeviceName resolve(DeviceName device) {
    return device.equals(DeviceName.AUTO) ? Devices.fastest().orElse(DeviceName.CPU) : device;
  }

  /**
   * What fused layers compute on, "auto" made definite.
   *
   * @return a device of this machine, the first of several
   */
  public DeviceName resolvedDevice() {
    return resolve(devices.get(0));
  }

  /** {@return the devices beside the first that train with it, usually none} */
  public List<DeviceName> helpers() {
    return devices.subList(1, devices.size());
  }

  /** Whether fused layers compute on this machine's processor. */
  boolean isOnCpu() {
    return isProcessor(devices.get(0));
  }

  /**
   * The fastest way of this machine's processor that keeps float32.
   *
   * @return automatic choice, all processors
   */
  public static Execution automatic() {
    return new Execution(
        LayersChoice.AUTO, Precision.FLOAT32, Runtime.getRuntime().availableProcessors());
  }

  /**
   * SameDiff's own operations.
   *
   * @return the reference layers
   */
  public static Execution reference() {
    return new Execution(LayersChoice.REFERENCE, Precision.FLOAT32, 1);
  }

  /**
   * Whether a network of a data type is built of fused layers.
   *
   * @param dataType FLOAT or DOUBLE
   * @return true for fused layers
   * @throws IllegalArgumentException if fused layers are demanded in DOUBLE
   */
  public boolean isFused(DataType dataType) {
    if (layers == LayersChoice.FUSED && dataType != DataType.FLOAT) {
      throw new IllegalArgumentException(
          Text.format(
              "The fused layers compute in FLOAT, not in %s; choose the reference layers.",
              dataType));
    }
    return layers != LayersChoice.REFERENCE
        && dataType == DataType.FLOAT
        && FusedKernels.available();
  }
}
