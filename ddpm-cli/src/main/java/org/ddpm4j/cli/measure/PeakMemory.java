package org.ddpm4j.cli.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The most memory that this process has held, where the system tells. */
final class PeakMemory {

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Pattern HIGH_WATER_MARK = Pattern.compile("(?m)^VmHWM:\\s*(\\d+) kB$");

  private PeakMemory() {}

  /** Bytes of resident memory, the highest so far; empty on systems other than Linux. */
  static OptionalLong bytes() {
    try {
      return bytes(Files.readString(STATUS));
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  /** From the text of the system's status file. */
  static OptionalLong bytes(String status) {
    Matcher matcher = HIGH_WATER_MARK.matcher(status);
    return matcher.find()
        ? OptionalLong.of(Long.parseLong(matcher.group(1)) * 1024)
        : OptionalLong.empty();
  }
}
