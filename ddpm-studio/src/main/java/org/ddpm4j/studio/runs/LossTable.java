package org.ddpm4j.studio.runs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.ddpm4j.io.FileFailure;
import org.ddpm4j.io.TextTable;

/**
 * The file loss.csv of a run, thinned out for a chart.
 *
 * @param rows in the order of their steps
 */
public record LossTable(List<Row> rows) {

  private static final int MOST_ROWS = 600;

  /** More than 5000 rows. */
  private static final long MOST_BYTES_READ_WHOLE = 1 << 19;

  /** Several rows, none of which has more than some hundred bytes. */
  private static final int PLACE_BYTES = 1 << 10;

  /**
   * A line.
   *
   * @param step of the training
   * @param loss mean of the steps since the line before
   * @param validationLoss of images held out; NaN where none are
   * @param learningRate of the step
   */
  public record Row(long step, double loss, double validationLoss, double learningRate) {}

  /** Copies the list. */
  public LossTable {
    rows = List.copyOf(rows);
  }

  /**
   * Reads the table of a run. Of a large one, as of a run that reports every step, so many places
   * are read that are evenly spread over the file: it is read again and again while it grows.
   *
   * @param file loss.csv, which need not exist
   * @return its rows; what somebody else has written into it is left out
   * @throws IOException if it cannot be read
   */
  public static LossTable read(Path file) throws IOException {
    if (Files.isRegularFile(file) && Files.size(file) > MOST_BYTES_READ_WHOLE) {
      return new LossTable(sampled(file));
    }
    List<Row> all = TextTable.rows(file).stream().flatMap(line -> row(line).stream()).toList();
    int every = (all.size() + MOST_ROWS - 1) / MOST_ROWS;
    List<Row> kept = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      // The newest is always there.
      if (i % every == (all.size() - 1) % every) {
        kept.add(all.get(i));
      }
    }
    return new LossTable(kept);
  }

  private static List<Row> sampled(Path file) throws IOException {
    // A table that is written anew takes the place of this one, which stays as it is.
    try (FileChannel channel = FileChannel.open(file)) {
      long last = Math.max(0, channel.size() - PLACE_BYTES);
      List<Row> rows = new ArrayList<>();
      for (int i = 0; i < MOST_ROWS - 1; i++) {
        wholeRows(channel, last * i / (MOST_ROWS - 1)).findFirst().ifPresent(rows::add);
      }
      // The newest is always there.
      wholeRows(channel, last).reduce((first, second) -> second).ifPresent(rows::add);
      return rows;
    } catch (IOException e) {
      throw FileFailure.unreadable(file, e);
    }
  }

  /** Of a place in the middle of the file, which begins within a line. */
  private static Stream<Row> wholeRows(FileChannel channel, long place) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(PLACE_BYTES);
    while (bytes.hasRemaining() && channel.read(bytes, place + bytes.position()) >= 0) {
      continue;
    }
    String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
    int begin = text.indexOf('\n') + 1;
    int end = text.lastIndexOf('\n');
    return end < begin
        ? Stream.empty()
        : text.substring(begin, end).lines().flatMap(line -> row(line).stream());
  }

  private static Optional<Row> row(String line) {
    String[] cells = line.split(",", -1);
    try {
      return Optional.of(
          new Row(
              Long.parseLong(cells[0]),
              Double.parseDouble(cells[1]),
              Double.parseDouble(cells[2]),
              Double.parseDouble(cells[3])));
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return Optional.empty();
    }
  }
}
