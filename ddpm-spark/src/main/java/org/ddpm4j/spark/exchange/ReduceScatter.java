package org.ddpm4j.spark.exchange;

import java.io.IOException;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A task's part in the sum of all shards' gradients: it sends every other task the slice that is
 * theirs of each gradient that it has, and adds its own slice of all of them, 0, 1, 2 and so on
 * whenever they come, so that the bits are those of one machine.
 *
 * <p>Shard s is of rank s mod n, so that the next to be added are computed at the same time. Of
 * each task one slice is kept until its turn; with those that are on their way a task holds as many
 * numbers as two gradients have, however many shards there are.
 */
final class ReduceScatter implements AutoCloseable {

  private final LinkGroup group;
  private final List<Link> links;
  private final Slices slices;
  private final int rank;
  private final int shards;
  private final INDArray outgoing;
  private final INDArray sum;

  /** Of each rank the slice that is added next, and whose turn it is with it. */
  private final List<INDArray> parts;

  private final List<HandOff> turns;

  private final List<Future<Void>> receiving = new ArrayList<>();
  private final List<Future<Void>> sending = new ArrayList<>();

  /**
   * The sum of a task.
   *
   * @param links to each task by its rank; not used at this task's own
   */
  ReduceScatter(LinkGroup group, List<Link> links, Slices slices, int rank, int shards) {
    this.group = group;
    this.links = links;
    this.slices = slices;
    this.rank = rank;
    this.shards = shards;
    this.outgoing = slices.allocate();
    this.sum = slices.allocate(rank);
    this.parts =
        IntStream.range(0, slices.count()).mapToObj(peer -> slices.allocate(rank)).toList();
    this.turns = IntStream.range(0, slices.count()).mapToObj(peer -> new HandOff()).toList();
  }

  /** The shards of a rank. */
  static IntStream shards(int rank, int tasks, int shards) {
    return IntStream.iterate(rank, shard -> shard < shards, shard -> shard + tasks);
  }

  private IntStream shardsOf(int peer) {
    return shards(peer, slices.count(), shards);
  }

  /** Begins a step: from now on gradients are received and added. */
  void begin() throws IOException {
    for (int peer = 0; peer < slices.count(); peer++) {
      if (peer != rank) {
        int from = peer;
        receiving.add(group.submit(() -> receive(from)));
      }
    }
    receiving.add(group.submit(this::addInOrder));
  }

  private Void receive(int peer) throws IOException, InterruptedException {
    for (int shard : shardsOf(peer).toArray()) {
      links.get(peer).receive(Link.Kind.GRADIENT, shard, slices.alone(parts.get(peer), rank));
      turns.get(peer).giveToReader();
    }
    return null;
  }

  private Void addInOrder() throws InterruptedException {
    for (int shard = 0; shard < shards; shard++) {
      int from = shard % slices.count();
      turns.get(from).awaitFilled();
      if (shard == 0) {
        sum.assign(parts.get(from));
      } else {
        sum.addi(parts.get(from));
      }
      turns.get(from).giveBack();
    }
    return null;
  }

  /**
   * Sends the gradient of a shard, of which the caller may make the next when this returns.
   *
   * @param shard the next of this rank's
   * @param gradient all of it
   */
  void send(int shard, INDArray gradient) throws IOException {
    // What is on its way needs its memory until it has arrived.
    awaitSent();
    for (int slice = 0; slice < slices.count(); slice++) {
      slices.of(outgoing, slice).put(slices.of(gradient, slice));
    }
    slices.alone(parts.get(rank), rank).put(slices.of(gradient, rank));
    // Slices do not hold on to the array, which owns the memory.
    Reference.reachabilityFence(gradient);
    for (int peer = 0; peer < slices.count(); peer++) {
      int to = peer;
      sending.add(group.submit(() -> send(shard, to)));
    }
  }

  private Void send(int shard, int peer) throws IOException, InterruptedException {
    if (peer == rank) {
      turns.get(rank).giveToReader();
    } else {
      links.get(peer).send(Link.Kind.GRADIENT, shard, slices.of(outgoing, peer));
    }
    return null;
  }

  private void awaitSent() throws IOException {
    group.joinAll(sending);
    sending.clear();
  }

  /** Ends a step: waits for the sum of all shards, of which this task has its slice. */
  INDArray finish() throws IOException {
    awaitSent();
    group.joinAll(receiving);
    receiving.clear();
    return sum;
  }

  /** Gives the memory back; nothing may be on its way. */
  @Override
  public void close() {
    outgoing.close();
    sum.close();
    parts.forEach(INDArray::close);
  }
}
