package org.ddpm4j.cuda;

import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.StringArray;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;

/**
 * NVIDIA's compiler by itself: the presets that kernels are compiled with otherwise load the driver
 * as well, which is only where a card is.
 */
final class Nvrtc {

  /** An option that lets the log tell of each kernel what it takes. */
  static final String SAY_REGISTERS = "--ptxas-options=-v";

  /** What is compiled for an H100 or an H200. */
  static final String HOPPER = "sm_90a";

  private static final String NAME = "libnvrtc.so.13";

  private static final Pattern SPILL =
      Pattern.compile(
          "Compiling entry function '(\\w+)'(?:(?!Compiling entry)[\\s\\S])*?"
              + "[1-9]\\d* bytes spill stores");

  private Nvrtc() {}

  /** Loaded once. */
  private static final class Library {
    static final NativeLibrary LOADED = NativeLibrary.getInstance(NAME);

    private Library() {}
  }

  /** Skips a test where it is not there. */
  static void assumePresent() {
    try {
      NativeLibrary.getInstance(NAME);
    } catch (UnsatisfiedLinkError e) {
      Assumptions.abort(NAME + " does not load: " + e.getMessage());
    }
  }

  /** What a source is compiled with. */
  static List<String> options(String architecture, List<String> defines) {
    List<String> options = new ArrayList<>();
    options.add("--gpu-architecture=" + architecture);
    options.add("--std=c++17");
    options.add(SAY_REGISTERS);
    defines.forEach(define -> options.add("-D" + define));
    return options;
  }

  /** The compute capabilities that it compiles for, ten times the major number and the minor. */
  static int[] architectures() {
    IntByReference count = new IntByReference();
    call("nvrtcGetNumSupportedArchs", count);
    try (Memory known = new Memory((long) count.getValue() * Integer.BYTES)) {
      call("nvrtcGetSupportedArchs", known);
      return known.getIntArray(0, count.getValue());
    }
  }

  /**
   * What the compiler says and makes.
   *
   * @param hasFailed whether there are errors
   * @param text what it prints
   * @param ptx what a driver would be given, empty if there are errors
   */
  record Log(boolean hasFailed, String text, String ptx) {

    String errors() {
      return hasFailed ? text : "";
    }

    /** The kernels that keep values in memory for want of registers. */
    List<String> spilling() {
      return SPILL.matcher(text).results().map(found -> found.group(1)).toList();
    }
  }

  static Log compile(String source, List<String> options) {
    PointerByReference made = new PointerByReference();
    call("nvrtcCreateProgram", made, source, null, 0, null, null);
    Pointer program = made.getValue();
    try {
      String[] words = options.toArray(String[]::new);
      int code = call("nvrtcCompileProgram", program, words.length, new StringArray(words));
      String log = text(program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
      String ptx = code == 0 ? text(program, "nvrtcGetPTXSize", "nvrtcGetPTX") : "";
      return new Log(code != 0, log, ptx);
    } finally {
      call("nvrtcDestroyProgram", made);
    }
  }

  private static String text(Pointer program, String size, String content) {
    LongByReference length = new LongByReference();
    call(size, program, length);
    byte[] bytes = new byte[Math.toIntExact(length.getValue())];
    call(content, program, bytes);
    return new String(bytes, StandardCharsets.UTF_8).trim();
  }

  private static int call(String function, Object... arguments) {
    return Library.LOADED.getFunction(function).invokeInt(arguments);
  }
}
