package org.ddpm4j.unet;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;

/**
 * Stands in for {@link System#out} for a while and drops certain lines that one thread prints.
 * Everything else, and everything that other threads print, goes through unchanged; so it does
 * later, should somebody have kept the stream.
 */
final class StandardOutputFilter extends PrintStream {

  /** There is one standard output; two filters at once would not find their way back to it. */
  private static final Object LOCK = new Object();

  private final PrintStream out;
  private final String prefix;
  private final Thread thread = Thread.currentThread();
  private volatile boolean active = true;

  private StandardOutputFilter(PrintStream out, String prefix) {
    super(out, false, Charset.defaultCharset());
    this.out = out;
    this.prefix = prefix;
  }

  /**
   * Runs an action without the lines that it prints on this thread with {@code
   * System.out.println(String)} and that begin with a prefix.
   */
  static void dropLines(String prefix, Runnable action) {
    synchronized (LOCK) {
      PrintStream before = System.out;
      StandardOutputFilter filter = new StandardOutputFilter(before, prefix);
      System.setOut(filter);
      try {
        action.run();
      } finally {
        filter.active = false;
        // Unless somebody else has taken the standard output meanwhile.
        if (System.out == filter) {
          System.setOut(before);
        }
      }
    }
  }

  @Override
  public void println(String line) {
    boolean dropped =
        active && Thread.currentThread() == thread && line != null && line.startsWith(prefix);
    if (!dropped) {
      out.println(line);
    }
  }

  // All other methods go to the stream behind directly, because this one would encode characters
  // in the platform's charset, which need not be the console's.

  @Override
  public void println() {
    out.println();
  }

  @Override
  public void println(boolean value) {
    out.println(value);
  }

  @Override
  public void println(char value) {
    out.println(value);
  }

  @Override
  public void println(int value) {
    out.println(value);
  }

  @Override
  public void println(long value) {
    out.println(value);
  }

  @Override
  public void println(float value) {
    out.println(value);
  }

  @Override
  public void println(double value) {
    out.println(value);
  }

  @Override
  public void println(char[] value) {
    out.println(value);
  }

  @Override
  public void println(Object value) {
    out.println(value);
  }

  @Override
  public void print(boolean value) {
    out.print(value);
  }

  @Override
  public void print(char value) {
    out.print(value);
  }

  @Override
  public void print(int value) {
    out.print(value);
  }

  @Override
  public void print(long value) {
    out.print(value);
  }

  @Override
  public void print(float value) {
    out.print(value);
  }

  @Override
  public void print(double value) {
    out.print(value);
  }

  @Override
  public void print(char[] value) {
    out.print(value);
  }

  @Override
  public void print(String value) {
    out.print(value);
  }

  @Override
  public void print(Object value) {
    out.print(value);
  }

  @Override
  public void write(int value) {
    out.write(value);
  }

  @Override
  public void write(byte[] bytes) throws IOException {
    out.write(bytes);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    out.write(bytes, offset, length);
  }

  @Override
  public void flush() {
    out.flush();
  }

  @Override
  public boolean checkError() {
    return out.checkError();
  }
}
