package org.ddpm4j.spark.exchange;

import java.io.Closeable;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The driver's side: it hands out the weights and gets the sum of the shards' gradients. */
public final class DriverExchange implements Closeable {

  private static final int TOKEN_BYTES = 32;
  private static final long EXPLANATION_MILLIS = 200;

  private final int tasks;
  private final int shards;
  private final long length;
  private final LinkGroup group;
  private final LinkServer server;
  private final Rendezvous rendezvous;
  private final List<Link> links = new ArrayList<>();

  /**
   * Listens for the tasks of a job.
   *
   * @param endpoint where
   * @param tasks how many they are, at least 1
   * @param shards into how many each step is cut, at least 1
   * @param length how many weights there are
   * @param watch asked while tasks are waited for
   * @throws IOException if the port is taken
   */
  public DriverExchange(Endpoint endpoint, int tasks, int shards, long length, Watch watch)
      throws IOException {
    this.tasks = tasks;
    this.shards = shards;
    this.length = length;
    byte[] token = new byte[TOKEN_BYTES];
    new SecureRandom().nextBytes(token);
    group = new LinkGroup(watch);
    server = group.add(LinkServer.listen(endpoint, token));
    rendezvous = new Rendezvous(endpoint.host(), server.port(), token);
  }

  /** {@return where the tasks of the job find this, for {@link TaskExchange#join}} */
  public Rendezvous rendezvous() {
    return rendezvous;
  }

  /** {@return how many tasks take part} */
  public int tasks() {
    return tasks;
  }

  /**
   * Waits until all tasks have come, have found each other and can compute.
   *
   * @throws TaskFailedException if one says that it cannot
   * @throws IOException if a connection breaks, or the watch says that waiting is of no use
   */
  public void awaitTasks() throws IOException {
    // Of a rank that comes twice the cluster has begun the task again, and the first is dead.
    Map<Integer, LinkServer.Arrival> arrived = new TreeMap<>();
    while (arrived.size() < tasks) {
      LinkServer.Arrival arrival = group.call(server::accept);
      group.add(arrival.link());
      int rank = arrival.introduction().rank();
      if (rank < 0 || rank >= tasks) {
        throw new IOException("Of " + tasks + " tasks one says that it is number " + rank + ".");
      }
      LinkServer.Arrival before = arrived.put(rank, arrival);
      if (before != null) {
        before.link().close();
      }
    }
    server.close();
    Peers peers =
        new Peers(
            length,
            shards,
            arrived.values().stream().map(LinkServer.Arrival::introduction).toList());
    arrived.values().forEach(arrival -> links.add(arrival.link()));
    ofAll(
        (link, rank) -> {
          link.send(Link.Kind.PEERS, peers.toBytes());
          return answer(link, Link.Kind.READY);
        });
  }

  /**
   * Does a step.
   *
   * @param order what the tasks are to be told of it
   * @param weights all of them, float32
   * @param sum receives the gradients of all shards, added in their order
   * @return what the tasks say of it, by rank
   * @throws TaskFailedException if one says that it has failed
   * @throws IOException if a connection breaks, or the watch says that waiting is of no use; this
   *     is closed then
   */
  public List<byte[]> step(byte[] order, INDArray weights, INDArray sum) throws IOException {
    Slices slices = new Slices(length, tasks);
    try {
      return ofAll(
          (link, rank) -> {
            link.send(Link.Kind.ORDER, order);
            link.send(Link.Kind.WEIGHTS, rank, slices.of(weights, rank));
            byte[] answer = answer(link, Link.Kind.ANSWER);
            link.receive(Link.Kind.SUM, rank, slices.of(sum, rank));
            return answer;
          });
    } finally {
      // Slices do not hold on to the arrays, which own the memory.
      Reference.reachabilityFence(weights);
      Reference.reachabilityFence(sum);
    }
  }

  /** What is done with a task. */
  private interface Conversation {
    byte[] with(Link link, int rank) throws IOException;
  }

  private List<byte[]> ofAll(Conversation conversation) throws IOException {
    List<Future<byte[]>> all = new ArrayList<>();
    for (int task = 0; task < tasks; task++) {
      int rank = task;
      all.add(group.submit(() -> talk(rank, conversation)));
    }
    return group.joinAll(all);
  }

  private byte[] talk(int rank, Conversation conversation)
      throws IOException, InterruptedException {
    try {
      return conversation.with(links.get(rank), rank);
    } catch (TaskFailedException e) {
      throw e;
    } catch (IOException e) {
      // This task may have left because another did, which is just about to say why.
      Thread.sleep(EXPLANATION_MILLIS);
      throw e;
    }
  }

  private static byte[] answer(Link link, Link.Kind kind) throws IOException {
    Link.Message message = link.require(kind, Link.Kind.FAILURE);
    if (message.kind() == Link.Kind.FAILURE) {
      throw new TaskFailedException(new String(message.bytes(), StandardCharsets.UTF_8));
    }
    return message.bytes();
  }

  /** Lets the tasks go, at once. Nothing reads the weights or writes the sum any longer. */
  @Override
  public void close() {
    group.end();
  }
}
