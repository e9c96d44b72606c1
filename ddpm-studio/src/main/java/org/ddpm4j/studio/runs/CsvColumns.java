package org.ddpm4j.studio.runs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Some columns of a table that a run keeps: distances.csv, bound.csv.
 *
 * @param values of each column by its title, all of one length; NaN where a cell is empty
 */
public record CsvColumns(Map<String, List<Double>> values) {

  private static final long MOST_BYTES = 4L << 20;

  /** Copies the columns. */
  public CsvColumns {
    Map<String, List<Double>> copy = new LinkedHashMap<>();
    values.forEach((title, column) -> copy.put(title, List.copyOf(column)));
    values = copy;
  }

  /**
   * Reads a table. Lines that are not whole, as the last of a file that is being written, are left
   * out.
   *
   * @param file to read
   * @param titles of the columns, all of which it must have
   * @return the columns; empty if there is no such file, or it is no such table
   * @throws IOException if it cannot be read
   */
  static Optional<CsvColumns> read(Path file, String... titles) throws IOException {
    if (!Files.isRegularFile(file) || Files.size(file) > MOST_BYTES) {
      return Optional.empty();
    }
    List<String> lines = Files.readAllLines(file);
    List<String> found = lines.isEmpty() ? List.of() : Arrays.asList(lines.get(0).split(",", -1));
    if (!found.containsAll(List.of(titles))) {
      return Optional.empty();
    }
    Map<String, List<Double>> columns = new LinkedHashMap<>();
    for (String title : titles) {
      columns.put(title, new ArrayList<>());
    }
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", -1);
      if (cells.length == found.size()) {
        for (String title : titles) {
          columns.get(title).add(number(cells[found.indexOf(title)]));
        }
      }
    }
    return Optional.of(new CsvColumns(columns));
  }

  private static double number(String cell) {
    try {
      return Double.parseDouble(cell);
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }
}
