import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Sums the gradients of several machines in a ring, as an alternative to a driver that gathers them: each sends a
 * slice to its neighbour and adds the one that it gets, until each holds one slice of the sum, which then goes round.
 * The machines are threads here, joined by sockets on loopback. Prints the seconds of a sum, the median of some.
 *
 * <pre>java bench/RingAllReduce.java 1690000 2</pre>
 */
public final class RingAllReduce {

  private static final int ROUNDS = 11;
  private static final int SLOTS = 64;

  private final int machines;
  private final int slice;
  private final SocketChannel[] next;
  private final SocketChannel[] previous;

  private RingAllReduce(int machines, int slice) throws IOException {
    this.machines = machines;
    this.slice = slice;
    next = new SocketChannel[machines];
    previous = new SocketChannel[machines];
    for (int machine = 0; machine < machines; machine++) {
      try (ServerSocketChannel server = ServerSocketChannel.open()) {
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        next[machine] = SocketChannel.open(server.getLocalAddress());
        previous[(machine + 1) % machines] = server.accept();
      }
    }
  }

  public static void main(String[] args) throws Exception {
    int parameters = Integer.parseInt(args[0]);
    int machines = Integer.parseInt(args[1]);
    int slice = (parameters + machines - 1) / machines;
    RingAllReduce ring = new RingAllReduce(machines, slice);
    ByteBuffer[] gradients = new ByteBuffer[machines];
    for (int machine = 0; machine < machines; machine++) {
      gradients[machine] = bytes(slice * machines);
    }
    ExecutorService threads = Executors.newFixedThreadPool(2 * machines);
    double[] seconds = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      for (int machine = 0; machine < machines; machine++) {
        fill(gradients[machine].asFloatBuffer(), machine);
      }
      long begun = System.nanoTime();
      Future<?>[] done = new Future<?>[machines];
      for (int machine = 0; machine < machines; machine++) {
        int self = machine;
        done[machine] =
            threads.submit(
                () -> {
                  ring.sum(self, gradients[self], threads);
                  return null;
                });
      }
      for (Future<?> each : done) {
        each.get();
      }
      seconds[round] = (System.nanoTime() - begun) / 1e9;
      for (ByteBuffer gradient : gradients) {
        check(gradient.asFloatBuffer(), machines);
      }
    }
    threads.shutdown();
    Arrays.sort(seconds);
    System.out.printf(
        Locale.ROOT, "%d parameters, %d machines: %.4f s%n", parameters, machines, seconds[ROUNDS / 2]);
  }

  private void sum(int self, ByteBuffer gradient, ExecutorService threads) throws Exception {
    ByteBuffer received = bytes(slice);
    for (int phase = 0; phase < 2 * (machines - 1); phase++) {
      int sent = Math.floorMod(self - phase, machines);
      int got = Math.floorMod(self - phase - 1, machines);
      ByteBuffer out = slice(gradient, sent);
      Future<?> sending =
          threads.submit(
              () -> {
                while (out.hasRemaining()) {
                  next[self].write(out);
                }
                return null;
              });
      boolean adds = phase < machines - 1;
      ByteBuffer in = adds ? received.clear() : slice(gradient, got);
      while (in.hasRemaining()) {
        previous[self].read(in);
      }
      if (adds) {
        FloatBuffer sum = slice(gradient, got).order(ByteOrder.nativeOrder()).asFloatBuffer();
        FloatBuffer other = received.flip().order(ByteOrder.nativeOrder()).asFloatBuffer();
        for (int i = 0; i < slice; i++) {
          sum.put(i, sum.get(i) + other.get(i));
        }
      }
      sending.get();
    }
  }

  private ByteBuffer slice(ByteBuffer gradient, int index) {
    return gradient.slice(index * slice * Float.BYTES, slice * Float.BYTES);
  }

  private static ByteBuffer bytes(int floats) {
    return ByteBuffer.allocateDirect(floats * Float.BYTES).order(ByteOrder.nativeOrder());
  }

  private static void fill(FloatBuffer gradient, int machine) {
    for (int i = 0; i < gradient.capacity(); i++) {
      gradient.put(i, (i % SLOTS) + machine);
    }
  }

  /** Whole numbers as small as these are summed exactly, whatever the order. */
  private static void check(FloatBuffer gradient, int machines) {
    for (int i = 0; i < gradient.capacity(); i++) {
      float expected = machines * (i % SLOTS) + machines * (machines - 1) / 2;
      if (gradient.get(i) != expected) {
        throw new IllegalStateException("Element " + i + " is " + gradient.get(i) + ", not " + expected + ".");
      }
    }
  }
}
