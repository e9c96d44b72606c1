package org.ddpm4j.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A driver and tasks that are threads, on loopback. */
@Timeout(60)
class ExchangeTest {

  private static final Endpoint LOOPBACK = new Endpoint("127.0.0.1", "127.0.0.1", 0, 0);
  private static final long LONG = TimeUnit.HOURS.toMillis(1);
  private static final Watch NOBODY = () -> {};
  private static final byte[] ORDER = {1, 2, 3};

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void end() throws InterruptedException {
    threads.shutdown();
    assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).as("all threads end").isTrue();
  }

  /** Of every magnitude, so that each order of addition has another sum. */
  private static float[] numbers(long length, int seed) {
    Random random = new Random(seed);
    float[] values = new float[(int) length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(9) - 4));
    }
    return values;
  }

  private static INDArray array(float[] values) {
    INDArray array = Nd4j.create(DataType.FLOAT, values.length);
    array.data().asNioFloat().put(values);
    return array;
  }

  private static float[] values(INDArray array) {
    float[] values = new float[(int) array.length()];
    array.data().asNioFloat().get(values);
    return values;
  }

  /** What a task does with a shard of a step. */
  private interface ShardWork {
    void run(TaskExchange task, int shard, float[] weights) throws IOException;
  }

  private Future<Integer> task(Rendezvous rendezvous, int rank, ShardWork work) {
    return threads.submit(
        () -> {
          try (TaskExchange task = TaskExchange.join(rendezvous, LOOPBACK, rank, LONG, NOBODY)) {
            return serve(task, rank, work);
          }
        });
  }

  private static int serve(TaskExchange task, int rank, ShardWork work) throws IOException {
    task.ready();
    int steps = 0;
    for (Optional<byte[]> order = task.awaitStep();
        order.isPresent();
        order = task.awaitStep(), steps++) {
      assertThat(order.get()).isEqualTo(ORDER);
      float[] weights = values(task.weights());
      for (int shard : task.shards().toArray()) {
        work.run(task, shard, weights);
      }
      task.answer(new byte[] {(byte) rank, (byte) steps});
    }
    return steps;
  }

  /** The gradient is a function of weights and shard. */
  private static float[] gradient(float[] weights, int shard) {
    float[] gradient = numbers(weights.length, shard);
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] *= weights[i];
    }
    return gradient;
  }

  private static void send(TaskExchange task, int shard, float[] weights) throws IOException {
    try (INDArray gradient = array(gradient(weights, shard))) {
      task.send(shard, gradient);
    }
  }

  /** One shard after the other, by a loop. */
  private static float[] expected(float[] weights, int shards) {
    float[] sum = gradient(weights, 0);
    for (int shard = 1; shard < shards; shard++) {
      float[] more = gradient(weights, shard);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += more[i];
      }
    }
    return sum;
  }

  @ParameterizedTest
  @CsvSource({
    "7, 1, 1",
    "7, 5, 1",
    "13, 5, 2",
    "1001, 7, 3",
    "2, 9, 4",
    "1, 3, 3",
    "5, 2, 3",
    "400001, 4, 2"
  })
  void addsInTheOrderOfShardsWhoeverComputesThem(int length, int shards, int tasks)
      throws Exception {
    List<Future<Integer>> all = new ArrayList<>();
    try (DriverExchange driver = new DriverExchange(LOOPBACK, tasks, shards, length, NOBODY);
        INDArray sum = Nd4j.create(DataType.FLOAT, length)) {
      for (int rank = 0; rank < tasks; rank++) {
        all.add(task(driver.rendezvous(), rank, ExchangeTest::send));
      }
      driver.awaitTasks();
      for (int step = 0; step < 3; step++) {
        float[] weights = numbers(length, -1 - step);
        try (INDArray whole = array(weights)) {
          List<byte[]> answers = driver.step(ORDER, whole, sum);
          for (int rank = 0; rank < tasks; rank++) {
            assertThat(answers.get(rank)).containsExactly(rank, step);
          }
          assertThat(values(sum)).isEqualTo(expected(weights, shards));
        }
      }
    }
    for (Future<Integer> task : all) {
      assertThat(task.get()).isEqualTo(3);
    }
  }

  /** Another order has another sum, so that the test above means something. */
  @Test
  void theOrderMatters() {
    float[] weights = numbers(400001, -1);
    float[] backwards = gradient(weights, 3);
    for (int shard = 2; shard >= 0; shard--) {
      float[] more = gradient(weights, shard);
      for (int i = 0; i < backwards.length; i++) {
        backwards[i] += more[i];
      }
    }
    assertThat(backwards).isNotEqualTo(expected(weights, 4));
  }

  /** A driver, two tasks of which the second does something else than its shard. */
  private void oneStep(ShardWork second, Runnable meanwhile, ThrowingConsumer outcome)
      throws Exception {
    try (DriverExchange driver = new DriverExchange(LOOPBACK, 2, 2, 10, NOBODY);
        INDArray whole = array(numbers(10, 0));
        INDArray sum = whole.ulike()) {
      Future<Integer> first = task(driver.rendezvous(), 0, ExchangeTest::send);
      Future<Integer> other = task(driver.rendezvous(), 1, second);
      driver.awaitTasks();
      Future<List<byte[]>> step = threads.submit(() -> driver.step(ORDER, whole, sum));
      meanwhile.run();
      outcome.accept(driver, step, first);
      assertThatThrownBy(other::get).isInstanceOf(ExecutionException.class);
    }
  }

  private interface ThrowingConsumer {
    void accept(DriverExchange driver, Future<List<byte[]>> step, Future<Integer> first)
        throws Exception;
  }

  /** As a process that is killed does: its connections are closed, and nothing is said. */
  @Test
  void aTaskThatIsGoneEndsTheStepOfAll() throws Exception {
    oneStep(
        (task, shard, weights) -> {
          throw new IOException("gone");
        },
        () -> {},
        (driver, step, first) -> {
          assertThatThrownBy(step::get)
              .cause()
              .isInstanceOf(IOException.class)
              .isNotInstanceOf(TaskFailedException.class);
          assertThatThrownBy(first::get).hasCauseInstanceOf(IOException.class);
        });
  }

  @Test
  void aTaskThatFailsSaysWhy() throws Exception {
    oneStep(
        (task, shard, weights) -> {
          task.fail(new IllegalStateException("no images"));
          throw new IOException("failed");
        },
        () -> {},
        (driver, step, first) ->
            assertThatThrownBy(step::get)
                .cause()
                .isInstanceOf(TaskFailedException.class)
                .hasMessageContaining("no images"));
  }

  /** While one task computes, and the other waits for it. */
  @Test
  void theDriverMayCloseInTheMiddle() throws Exception {
    CountDownLatch computing = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    oneStep(
        (task, shard, weights) -> {
          computing.countDown();
          await(closed);
          send(task, shard, weights);
        },
        () -> await(computing),
        (driver, step, first) -> {
          driver.close();
          closed.countDown();
          assertThatThrownBy(step::get).hasCauseInstanceOf(IOException.class);
          assertThatThrownBy(first::get).hasCauseInstanceOf(IOException.class);
        });
  }

  /**
   * The end of a training comes when the driver has the last sum, or no longer wants it: before the
   * task's call has returned that sends it. The sum is longer than what systems keep on the way.
   */
  @Test
  void theDriverMayCloseWhileItIsAnswered() throws Exception {
    int length = 1 << 23;
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      byte[] token = new byte[32];
      Rendezvous place = new Rendezvous("127.0.0.1", server.socket().getLocalPort(), token);
      Future<Integer> task = task(place, 0, ExchangeTest::send);
      try (SocketChannel accepted = server.accept()) {
        accepted.socket().getInputStream().readNBytes(token.length);
        Link link = new Link(accepted, "The task");
        Introduction introduction =
            Introduction.read(
                new DataInputStream(
                    new ByteArrayInputStream(link.require(Link.Kind.INTRODUCTION).bytes())));
        link.send(Link.Kind.PEERS, new Peers(length, 1, List.of(introduction)).toBytes());
        link.require(Link.Kind.READY);
        link.send(Link.Kind.ORDER, ORDER);
        link.send(Link.Kind.WEIGHTS, 0, ByteBuffer.allocate(length * Float.BYTES));
        link.require(Link.Kind.ANSWER);
        accepted.shutdownOutput();
        assertThat(task.get()).isEqualTo(1);
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Who waits for the driver is interrupted: nothing is left of the exchange. */
  @Test
  void theDriverMayBeInterrupted() throws Exception {
    try (DriverExchange driver = new DriverExchange(LOOPBACK, 1, 1, 10, NOBODY)) {
      Thread.currentThread().interrupt();
      assertThatThrownBy(driver::awaitTasks).isInstanceOf(InterruptedIOException.class);
      assertThat(Thread.interrupted()).isTrue();
      awaitEndOfListening(driver.rendezvous());
      assertThatThrownBy(
              () -> TaskExchange.join(driver.rendezvous(), LOOPBACK, 0, LONG, NOBODY).close())
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cannot be reached");
    }
  }

  /**
   * A driver that ends just when a task connects: its system takes the connection and resets it, or
   * ends it in order.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aDriverThatLeavesWhileATaskConnectsIsNamed(boolean reset) throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      byte[] token = new byte[32];
      Rendezvous place = new Rendezvous("127.0.0.1", server.getLocalPort(), token);
      Future<?> joining =
          threads.submit(
              () -> {
                TaskExchange.join(place, LOOPBACK, 0, LONG, NOBODY).close();
                return null;
              });
      try (Socket accepted = server.accept()) {
        accepted.getInputStream().readNBytes(token.length);
        if (reset) {
          accepted.setSoLinger(true, 0);
        } else {
          // The message says its length; what is left unread would make a reset of the end.
          DataInputStream in = new DataInputStream(accepted.getInputStream());
          in.readLong();
          in.readNBytes((int) in.readLong());
        }
      }
      assertThatThrownBy(joining::get)
          .cause()
          .isInstanceOf(IOException.class)
          .hasMessageContaining("The driver at 127.0.0.1:" + server.getLocalPort() + " has left")
          .hasMessageContaining("submit the job again");
    }
  }

  /**
   * Until connections are refused: a channel that is closed while a thread waits for connections
   * accepts them until that thread has noticed.
   */
  private static void awaitEndOfListening(Rendezvous place) throws IOException {
    while (true) {
      try {
        SocketChannel.open(new InetSocketAddress(place.host(), place.port())).close();
      } catch (ConnectException e) {
        return;
      }
    }
  }

  @Test
  void theWatchEndsTheWaiting() throws Exception {
    Watch hopeless =
        () -> {
          throw new IOException("nobody will come");
        };
    try (DriverExchange driver = new DriverExchange(LOOPBACK, 1, 1, 10, hopeless)) {
      assertThatThrownBy(driver::awaitTasks).hasMessage("nobody will come");
    }
    try (DriverExchange driver = new DriverExchange(LOOPBACK, 2, 1, 10, NOBODY)) {
      assertThatThrownBy(
              () -> TaskExchange.join(driver.rendezvous(), LOOPBACK, 0, LONG, hopeless).close())
          .hasMessage("nobody will come");
    }
  }

  @Test
  void aTaskWithoutWorkLeaves() throws Exception {
    try (DriverExchange driver = new DriverExchange(LOOPBACK, 1, 1, 10, NOBODY);
        INDArray whole = array(numbers(10, 0));
        INDArray sum = whole.ulike()) {
      Future<Integer> task =
          threads.submit(
              () -> {
                try (TaskExchange own =
                    TaskExchange.join(driver.rendezvous(), LOOPBACK, 0, 1, NOBODY)) {
                  return serve(own, 0, ExchangeTest::send);
                }
              });
      driver.awaitTasks();
      driver.step(ORDER, whole, sum);
      assertThat(task.get()).isEqualTo(1);
      assertThatThrownBy(() -> driver.step(ORDER, whole, sum)).isInstanceOf(IOException.class);
    }
  }

  /** Others find a closed door, and the job goes on. */
  @Test
  void whoHasNoTokenIsNotLetIn() throws Exception {
    Future<Integer> task;
    try (DriverExchange driver = new DriverExchange(LOOPBACK, 1, 1, 10, NOBODY)) {
      Rendezvous known = driver.rendezvous();
      InetSocketAddress address = new InetSocketAddress(known.host(), known.port());
      Future<Boolean> refused =
          threads.submit(
              () -> {
                try (SocketChannel silent = SocketChannel.open(address)) {
                  silent.shutdownOutput();
                }
                byte[] token = known.token().clone();
                token[token.length - 1] ^= 1;
                try (Link stranger = Link.connect(known.host(), known.port(), token, "driver")) {
                  return stranger.receive(Link.Kind.PEERS).isEmpty();
                }
              });
      Future<Void> meeting =
          threads.submit(
              () -> {
                driver.awaitTasks();
                return null;
              });
      assertThat(refused.get()).isTrue();
      task = task(known, 0, ExchangeTest::send);
      meeting.get();
    }
    assertThat(task.get()).isZero();
  }

  /** A message that is not the expected one is not taken, however it was announced. */
  @Test
  void moreThanIsExpectedIsNotTaken() throws Exception {
    byte[] large = new byte[44];
    for (boolean small : new boolean[] {false, true}) {
      try (DriverExchange driver = new DriverExchange(LOOPBACK, 1, 1, 10, NOBODY);
          INDArray whole = array(numbers(10, 0));
          INDArray sum = whole.ulike()) {
        Rendezvous known = driver.rendezvous();
        threads.submit(
            () -> {
              try (Link link = Link.connect(known.host(), known.port(), known.token(), "driver")) {
                link.send(Link.Kind.INTRODUCTION, new Introduction(0, "127.0.0.1", 1).toBytes());
                link.require(Link.Kind.PEERS);
                link.send(Link.Kind.READY, new byte[0]);
                link.require(Link.Kind.ORDER);
                link.receive(Link.Kind.WEIGHTS, 0, ByteBuffer.allocate(40));
                link.send(Link.Kind.ANSWER, small ? new byte[Link.MOST_BYTES + 1] : new byte[0]);
                link.send(Link.Kind.SUM, 0, ByteBuffer.wrap(large));
                link.receive(Link.Kind.ORDER);
              }
              return null;
            });
        driver.awaitTasks();
        assertThatThrownBy(() -> driver.step(ORDER, whole, sum))
            .isInstanceOf(IOException.class)
            .hasMessageContaining(
                small
                    ? "Task 0 sent 16777217 bytes as ANSWER 0; expected at most 16777216 bytes"
                    : "Task 0 sent 44 bytes as SUM 0; expected 40 bytes as SUM 0.");
      }
    }
  }

  @Test
  void thePortsThatAreAllowedAreTried() throws IOException {
    try (ServerSocketChannel taken = ServerSocketChannel.open()) {
      taken.bind(new InetSocketAddress("127.0.0.1", 0));
      int port = ((InetSocketAddress) taken.getLocalAddress()).getPort();
      byte[] token = "token".getBytes(StandardCharsets.UTF_8);
      assertThatThrownBy(
              () -> LinkServer.listen(new Endpoint("localhost", "127.0.0.1", port, 0), token))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("127.0.0.1:" + port);
      try (LinkServer server =
          LinkServer.listen(new Endpoint("localhost", "127.0.0.1", port, 16), token)) {
        assertThat(server.port()).isBetween(port + 1, port + 16);
      }
    }
  }
}
