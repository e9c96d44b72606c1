package org.ddpm4j.unet;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.WeightLayout;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Takes the weights of a trained network over into another, which may be told other classes. All
 * parameters but the class embedding must be the same ones.
 *
 * @param rows for each row of the class embedding that is filled, the row of the trained one that
 *     it takes over; -1 for a class that is new. Not looked at where there is no such table
 * @param none the row of the trained class embedding that stands for no class, which new classes
 *     begin with; empty for the mean of all rows
 */
public record WeightTransfer(List<Integer> rows, OptionalInt none) {

  private static final int NEW = -1;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is less than that
   */
  public WeightTransfer {
    Objects.requireNonNull(rows, "rows");
    Objects.requireNonNull(none, "none");
    rows = List.copyOf(rows);
    if (none.orElse(0) < 0 || rows.stream().anyMatch(row -> row < NEW)) {
      throw new IllegalArgumentException(
          Text.format("The rows %s and %s must be at least -1 and 0.", rows, none));
    }
  }

  /**
   * Takes the weights over. A class embedding where the trained network has none begins at zero, so
   * that all classes are drawn as it draws; one that the other lacks is left out.
   *
   * @param trained weights of the trained network; not changed
   * @param filled weights of the other network; what is not in {@code trained} is not changed
   * @throws IllegalArgumentException if a parameter is missing in one of them or of another shape,
   *     or a row that is to be taken over does not exist; nothing is changed then
   */
  public void copy(Parameters trained, Parameters filled) {
    Map<String, Parameter> left = new LinkedHashMap<>();
    trained.declarations().forEach(parameter -> left.put(parameter.name(), parameter));
    for (Parameter wanted : filled.declarations()) {
      Parameter found = left.remove(wanted.name());
      require(wanted, found);
    }
    for (Parameter parameter : left.values()) {
      if (!isClassTable(parameter)) {
        throw new IllegalArgumentException(
            Text.format(
                "The trained network has a parameter %s %s, which the other lacks.",
                parameter.name(), Arrays.toString(parameter.pyTorchShape())));
      }
    }
    for (Parameter wanted : filled.declarations()) {
      if (isClassTable(wanted)) {
        fill(
            filled.get(wanted.name()),
            trained.contains(wanted.name()) ? trained.get(wanted.name()) : null);
      } else {
        filled.get(wanted.name()).assign(trained.get(wanted.name()));
      }
    }
  }

  private static boolean isClassTable(Parameter parameter) {
    return parameter.layout() == WeightLayout.EMBEDDING;
  }

  private void require(Parameter wanted, Parameter found) {
    if (found == null) {
      if (!isClassTable(wanted)) {
        throw new IllegalArgumentException(
            Text.format(
                "The trained network has no parameter %s %s, which the other needs.",
                wanted.name(), Arrays.toString(wanted.pyTorchShape())));
      }
      return;
    }
    long[] expected = wanted.pyTorchShape();
    long[] given = found.pyTorchShape();
    if (isClassTable(wanted) && isClassTable(found)) {
      requireRows(expected[0], given[0]);
      given[0] = expected[0];
    }
    if (wanted.layout() != found.layout() || !Arrays.equals(expected, given)) {
      throw new IllegalArgumentException(
          Text.format(
              "The trained network's parameter %s is %s where the other has %s.",
              wanted.name(),
              Arrays.toString(found.pyTorchShape()),
              Arrays.toString(wanted.pyTorchShape())));
    }
  }

  private void requireRows(long filled, long trained) {
    if (rows.size() != filled
        || rows.stream().anyMatch(row -> row >= trained)
        || none.orElse(0) >= trained) {
      throw new IllegalArgumentException(
          Text.format(
              "The rows %s and %s of a class embedding of %d rows do not fill one of %d.",
              rows, none, trained, filled));
    }
  }

  /** {@code trained} is null where the trained network knows no classes. */
  private void fill(INDArray table, INDArray trained) {
    if (trained == null) {
      table.assign(0);
      return;
    }
    INDArray unknown = none.isPresent() ? trained.getRow(none.getAsInt()) : trained.mean(0);
    for (int i = 0; i < rows.size(); i++) {
      table.putRow(i, rows.get(i) == NEW ? unknown : trained.getRow(rows.get(i)));
    }
  }
}
