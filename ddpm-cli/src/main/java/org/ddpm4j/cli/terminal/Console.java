package org.ddpm4j.cli.terminal;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.IoConsumer;
import org.ddpm4j.io.Text;

/**
 * Where the program writes.
 *
 * @param out for results; throws, which a {@link PrintStream} would not
 * @param err for progress and failures
 * @param terminalColumns width of the terminal behind err, empty if there is none
 */
public record Console(OutputStream out, PrintStream err, OptionalInt terminalColumns) {

  /** Set by the launcher, which can ask the system what the JDK cannot. */
  private static final String COLUMNS_PROPERTY = "ddpm.terminalColumns";

  private static final int DEFAULT_COLUMNS = 80;
  private static final int BUFFER_BYTES = 1 << 16;

  /**
   * The console of this process.
   *
   * @return standard output and standard error
   */
  public static Console ofProcess() {
    return new Console(
        new FileOutputStream(FileDescriptor.out),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
        terminalColumnsOfProcess());
  }

  private static OptionalInt terminalColumnsOfProcess() {
    String fromLauncher = System.getProperty(COLUMNS_PROPERTY);
    if (fromLauncher == null) {
      return System.console() == null ? OptionalInt.empty() : OptionalInt.of(DEFAULT_COLUMNS);
    }
    try {
      int columns = Integer.parseInt(fromLauncher);
      return columns > 0 ? OptionalInt.of(columns) : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.of(DEFAULT_COLUMNS);
    }
  }

  /**
   * Writes a line of results, which stays one whatever names of strangers it quotes.
   *
   * @param line without its end
   * @throws IOException if it cannot be written
   */
  public void printLine(String line) throws IOException {
    printText(ForeignText.line(line) + "\n");
  }

  /**
   * Writes a line of results.
   *
   * @param format of the line without its end, as of {@link Text#format}
   * @param values in their order
   * @throws IOException if it cannot be written
   */
  public void printLine(String format, Object... values) throws IOException {
    printLine(Text.format(format, values));
  }

  /**
   * Writes results of several lines, which may quote strangers.
   *
   * @param text with the ends of its lines
   * @throws IOException if it cannot be written
   */
  public void printText(String text) throws IOException {
    print(stream -> stream.write(ForeignText.lines(text).getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * Writes results that quote nobody. That their reader stops reading, as {@code head} does, is no
   * failure.
   *
   * @param content writes them
   * @throws IOException if they cannot be written
   */
  public void print(IoConsumer<? super OutputStream> content) throws IOException {
    try {
      OutputStream buffered = new BufferedOutputStream(out, BUFFER_BYTES);
      content.accept(buffered);
      buffered.flush();
    } catch (IOException e) {
      if (!"Broken pipe".equals(e.getMessage())) {
        throw new IOException(
            Text.format(
                "Standard output could not be written (%s); choose another place for it.",
                e.getMessage()),
            e);
      }
    }
  }

  /**
   * Writes a line for the user's eyes only.
   *
   * @param line without its end
   */
  public void note(String line) {
    err.println(ForeignText.line(line));
  }

  /**
   * Writes a line for the user's eyes only.
   *
   * @param format of the line without its end, as of {@link Text#format}
   * @param values in their order
   */
  public void note(String format, Object... values) {
    note(Text.format(format, values));
  }

  /**
   * Writes the stack trace of a bug, whose message may quote a stranger's file.
   *
   * @param bug what went wrong
   */
  public void trace(Throwable bug) {
    StringWriter trace = new StringWriter();
    bug.printStackTrace(new PrintWriter(trace));
    err.print(ForeignText.lines(trace.toString()));
    err.flush();
  }
}
