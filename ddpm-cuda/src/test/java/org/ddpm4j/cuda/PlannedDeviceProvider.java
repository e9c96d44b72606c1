package org.ddpm4j.cuda;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceProvider;

/** A large Hopper that computes nothing: it writes down the kernels that it is asked for. */
public final class PlannedDeviceProvider implements DeviceProvider {

  private static final int MULTIPROCESSORS = 132;
  private static final int SHARED_BYTES = 227 * 1024;
  private static final long FREE_BYTES = 80L << 30;

  /** So that no address is null. */
  private static final long FIRST_ADDRESS = 1 << 20;

  private static final Set<Request> REQUESTS = new ConcurrentSkipListSet<>();

  public PlannedDeviceProvider() {}

  /** A kernel of a source with definitions. */
  record Request(String file, String kernel, List<String> defines) implements Comparable<Request> {
    @Override
    public int compareTo(Request other) {
      return toString().compareTo(other.toString());
    }

    @Override
    public String toString() {
      return file
          + " "
          + kernel
          + defines.stream().map(define -> " " + define).collect(Collectors.joining());
    }
  }

  /** All that were asked for since the last call. */
  static List<Request> takeRequests() {
    List<Request> requests = List.copyOf(REQUESTS);
    requests.forEach(REQUESTS::remove);
    return requests;
  }

  @Override
  public String kind() {
    return "planned";
  }

  /** None, so that nobody takes it who does not ask for it. */
  @Override
  public List<String> descriptions() {
    return List.of();
  }

  @Override
  public Optional<String> obstacle(int index) {
    return Optional.empty();
  }

  @Override
  public Device open(int index) {
    return new CudaDevice(driver());
  }

  private static CudaDriver driver() {
    AtomicLong next = new AtomicLong(FIRST_ADDRESS);
    return (CudaDriver)
        Proxy.newProxyInstance(
            CudaDriver.class.getClassLoader(),
            new Class<?>[] {CudaDriver.class},
            (driver, method, arguments) ->
                switch (method.getName()) {
                  case "name", "description" -> "planned";
                  case "multiprocessors" -> MULTIPROCESSORS;
                  case "sharedMemoryPerBlock" -> SHARED_BYTES;
                  case "freeMemory" -> FREE_BYTES;
                  case "allocate" ->
                      next.getAndAdd(
                          CudaContext.ALIGNMENT
                              * ((long) arguments[0] / CudaContext.ALIGNMENT + 1));
                  case "allocateHost" ->
                      ByteBuffer.allocateDirect((int) arguments[0]).order(ByteOrder.nativeOrder());
                  case "function" ->
                      asked((String) arguments[0], (String) arguments[1], arguments[2]);
                  case "graph" -> new Nothing();
                  case "mark" -> new Nothing();
                  case "peakBytes" -> next.get();
                  case "milliseconds" -> 1.0;
                  default -> null;
                });
  }

  private static CudaFunction asked(String file, String kernel, Object defines) {
    List<String> words = ((List<?>) defines).stream().map(String.class::cast).toList();
    REQUESTS.add(new Request(file, kernel, words));
    return new CudaFunction(kernel, kernel);
  }

  /** Work that is done already. */
  private static final class Nothing implements CudaDriver.CudaGraph, CudaDriver.Mark {
    @Override
    public void run() {
      // There is nothing to compute with.
    }

    @Override
    public void close() {
      // Nothing is held.
    }

    @Override
    public void await() {
      // It is done already.
    }

    @Override
    public void before(CudaDriver other) {
      // It is done already.
    }
  }
}
