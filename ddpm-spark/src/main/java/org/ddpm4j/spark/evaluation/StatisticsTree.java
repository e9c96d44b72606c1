package org.ddpm4j.spark.evaluation;

import java.io.Serializable;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.ddpm4j.evaluation.FeatureStatistics;

/**
 * Statistics of some blocks of images, on the way to those of all. Two blocks are put together only
 * where they are neighbours in a fixed binary tree, so that the rounding of the total depends on
 * the blocks alone and not on the order in which tasks come to their end.
 *
 * <p>Of n neighbouring blocks it holds at most 2 log2(n) statistics. Immutable.
 */
public final class StatisticsTree implements Serializable {

  private static final long serialVersionUID = 1L;

  /** Of no blocks. */
  public static final StatisticsTree EMPTY = new StatisticsTree(new TreeMap<>());

  /** A node: {@code 2^level} blocks, those before which there are {@code number} as many. */
  private record Node(int level, long number) implements Comparable<Node>, Serializable {

    private static final long serialVersionUID = 1L;
    private static final Comparator<Node> IN_ORDER =
        Comparator.comparingLong(Node::firstBlock).thenComparingInt(Node::level);

    long firstBlock() {
      return number << level;
    }

    Node sibling() {
      return new Node(level, number ^ 1);
    }

    Node parent() {
      return new Node(level + 1, number >> 1);
    }

    @Override
    public int compareTo(Node other) {
      return IN_ORDER.compare(this, other);
    }
  }

  private final TreeMap<Node, FeatureStatistics> nodes;

  private StatisticsTree(TreeMap<Node, FeatureStatistics> nodes) {
    this.nodes = nodes;
  }

  /**
   * Of one block.
   *
   * @param block its number, from 0
   * @param statistics of its images
   * @return the tree
   */
  public static StatisticsTree of(long block, FeatureStatistics statistics) {
    TreeMap<Node, FeatureStatistics> nodes = new TreeMap<>();
    nodes.put(new Node(0, block), statistics);
    return new StatisticsTree(nodes);
  }

  /**
   * Of these blocks and others together.
   *
   * @param other of other blocks
   * @return the tree of all
   */
  public StatisticsTree merge(StatisticsTree other) {
    TreeMap<Node, FeatureStatistics> all = new TreeMap<>(nodes);
    for (Map.Entry<Node, FeatureStatistics> entry : other.nodes.entrySet()) {
      Node node = entry.getKey();
      FeatureStatistics statistics = entry.getValue();
      FeatureStatistics sibling = all.remove(node.sibling());
      while (sibling != null) {
        statistics =
            (node.number() & 1) == 0 ? statistics.merge(sibling) : sibling.merge(statistics);
        node = node.parent();
        sibling = all.remove(node.sibling());
      }
      all.put(node, statistics);
    }
    return new StatisticsTree(all);
  }

  /**
   * Of all images.
   *
   * @return their statistics
   * @throws IllegalStateException if there are none
   */
  public FeatureStatistics total() {
    return nodes.values().stream()
        .reduce(FeatureStatistics::merge)
        .orElseThrow(() -> new IllegalStateException("There are no images to have statistics of."));
  }
}
