package org.ddpm4j.spark.exchange;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A task's side. At every step it is given the weights, hands on the gradients of its shards one
 * after the other, and answers; it is used by one thread.
 */
public final class TaskExchange implements Closeable {

  private static final int LONGEST_FAILURE = 4000;

  private final LinkGroup group;
  private final Link driver;
  private final List<Link> links;
  private final Slices slices;
  private final int rank;
  private final int shards;
  private final long idleMillis;
  private final INDArray weights;
  private final ReduceScatter sum;
  private Future<Optional<byte[]>> next;
  private boolean begun;

  private TaskExchange(
      LinkGroup group, Link driver, List<Link> links, Peers peers, int rank, long idleMillis)
      throws IOException {
    this.group = group;
    this.driver = driver;
    this.links = links;
    this.slices = peers.slices();
    this.rank = rank;
    this.shards = peers.shards();
    this.idleMillis = idleMillis;
    this.weights = slices.allocate();
    this.sum = new ReduceScatter(group, links, slices, rank, shards);
    this.next = group.submit(this::nextOrder);
  }

  /**
   * Meets the driver and the other tasks.
   *
   * @param rendezvous where the driver is
   * @param endpoint where this task listens meanwhile
   * @param rank its number
   * @param idleMillis how long it waits for the next step before it leaves
   * @param watch asked while something is waited for
   * @return the connections
   * @throws IOException if they are not found, or the driver leaves before they have met; the
   *     message says where it was looked for
   */
  public static TaskExchange join(
      Rendezvous rendezvous, Endpoint endpoint, int rank, long idleMillis, Watch watch)
      throws IOException {
    LinkGroup group = new LinkGroup(watch);
    try (LinkServer server = group.add(LinkServer.listen(endpoint, rendezvous.token()))) {
      byte[] introduction = new Introduction(rank, endpoint.host(), server.port()).toBytes();
      Link driver =
          group.add(
              Link.connect(rendezvous.host(), rendezvous.port(), rendezvous.token(), "The driver"));
      Peers peers = Peers.of(group.call(() -> meet(driver, rendezvous, introduction)));
      int tasks = peers.tasks().size();
      // Each connects to those before it, who need not have looked for it yet.
      List<Link> links = new ArrayList<>(Collections.nCopies(tasks, null));
      for (int peer = 0; peer < rank; peer++) {
        Introduction there = peers.tasks().get(peer);
        links.set(
            peer,
            group.add(
                introduce(there.host(), there.port(), "Task " + peer, rendezvous, introduction)));
      }
      for (int missing = tasks - 1 - rank; missing > 0; missing--) {
        LinkServer.Arrival arrival = group.call(server::accept);
        links.set(arrival.introduction().rank(), group.add(arrival.link()));
      }
      return new TaskExchange(group, driver, links, peers, rank, idleMillis);
    } catch (IOException | RuntimeException e) {
      group.close();
      throw e;
    }
  }

  /** Tells the driver who this is, and waits to be told of the others. */
  private static byte[] meet(Link driver, Rendezvous rendezvous, byte[] introduction)
      throws IOException {
    try {
      driver.send(Link.Kind.INTRODUCTION, introduction);
      return driver.require(Link.Kind.PEERS).bytes();
    } catch (ClosedChannelException e) {
      // It was closed at this end, for a reason that the group knows.
      throw e;
    } catch (IOException e) {
      // An orderly end, a reset or a broken pipe, by how far the connection had come.
      throw new IOException(
          Text.format(
              "The driver at %s:%d has left before all tasks had met (%s); its log says why, mend that and submit the job again.",
              rendezvous.host(), rendezvous.port(), e.getMessage()),
          e);
    }
  }

  private static Link introduce(
      String host, int port, String peer, Rendezvous rendezvous, byte[] introduction)
      throws IOException {
    Link link = Link.connect(host, port, rendezvous.token(), peer);
    link.send(Link.Kind.INTRODUCTION, introduction);
    return link;
  }

  /** {@return the numbers of the shards that this task computes, in order} */
  public IntStream shards() {
    return ReduceScatter.shards(rank, slices.count(), shards);
  }

  /**
   * Tells the driver that this task can compute. If the driver has closed its side, {@link
   * #awaitStep} says so.
   *
   * @throws IOException if a connection breaks
   */
  public void ready() throws IOException {
    tell(() -> driver.send(Link.Kind.READY, new byte[0]));
  }

  /** What the driver is sent. */
  private interface Message {
    void send() throws IOException;
  }

  /**
   * Sends the driver something. It closes its side as soon as it has what it wants, which may end
   * this before the call has returned that sent it.
   */
  private void tell(Message message) throws IOException {
    try {
      group.call(
          () -> {
            message.send();
            return null;
          });
    } catch (IOException e) {
      if (group.join(next).isPresent()) {
        throw e;
      }
    }
  }

  /**
   * Waits for the next step and its weights.
   *
   * @return what the driver says of it; empty if there is none, because the driver has closed its
   *     side or has not asked for long
   * @throws IOException if a connection breaks
   */
  public Optional<byte[]> awaitStep() throws IOException {
    if (!group.await(next, begun ? idleMillis : Long.MAX_VALUE)) {
      return Optional.empty();
    }
    Optional<byte[]> order = group.join(next);
    if (order.isPresent()) {
      begun = true;
      gatherWeights();
      sum.begin();
    }
    return order;
  }

  /** Listens to the driver all the time, so that the end is noticed whatever else is done. */
  private Optional<byte[]> nextOrder() throws IOException {
    Optional<Link.Message> message = driver.receive(Link.Kind.ORDER);
    if (message.isEmpty()) {
      group.close();
    }
    return message.map(Link.Message::bytes);
  }

  /** All-gather: the own slice comes from the driver and goes to all, the others come from them. */
  private void gatherWeights() throws IOException {
    group.call(() -> receiveWeights(driver, rank));
    next = group.submit(this::nextOrder);
    List<Future<Void>> all = new ArrayList<>();
    for (int peer = 0; peer < slices.count(); peer++) {
      if (peer != rank) {
        int other = peer;
        Link link = links.get(peer);
        all.add(group.submit(() -> receiveWeights(link, other)));
        all.add(group.submit(() -> sendWeights(link)));
      }
    }
    group.joinAll(all);
  }

  private Void receiveWeights(Link link, int slice) throws IOException {
    link.receive(Link.Kind.WEIGHTS, slice, slices.of(weights, slice));
    return null;
  }

  private Void sendWeights(Link link) throws IOException {
    link.send(Link.Kind.WEIGHTS, rank, slices.of(weights, rank));
    return null;
  }

  /** {@return all weights of the step, until its answer} */
  public INDArray weights() {
    return weights;
  }

  /**
   * Hands on the gradient of a shard, which is the caller's again when this returns.
   *
   * @param shard the next of {@link #shards()}
   * @param gradient of all weights, float32
   * @throws IOException if a connection breaks
   */
  public void send(int shard, INDArray gradient) throws IOException {
    sum.send(shard, gradient);
  }

  /**
   * Ends the step: waits for this task's slice of the sum, and sends it to the driver. If the
   * driver has closed its side meanwhile, {@link #awaitStep} says so.
   *
   * @param answer what the driver is told of the step
   * @throws IOException if a connection breaks
   */
  public void answer(byte[] answer) throws IOException {
    INDArray slice = sum.finish();
    tell(
        () -> {
          driver.send(Link.Kind.ANSWER, answer);
          driver.send(Link.Kind.SUM, rank, slices.alone(slice, rank));
        });
  }

  /**
   * Tells the driver, if it is still there, that this task has failed.
   *
   * @param cause why
   */
  public void fail(Exception cause) {
    String sentence = cause.toString();
    try {
      driver.send(
          Link.Kind.FAILURE,
          sentence
              .substring(0, Math.min(LONGEST_FAILURE, sentence.length()))
              .getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // It has given the step up, and asks nobody.
    }
  }

  /** Leaves. */
  @Override
  public void close() {
    if (group.end() && !weights.wasClosed()) {
      weights.close();
      sum.close();
    }
  }
}
