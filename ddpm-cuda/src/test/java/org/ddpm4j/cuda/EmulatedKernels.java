package org.ddpm4j.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Compiles our CUDA sources for a CPU, each with its definitions to a shared library of its own,
 * and keeps the libraries in the build folder under a digest of what they are made from.
 */
final class EmulatedKernels {

  private static final Path SOURCES = Path.of("src/main/resources/org/ddpm4j/cuda");
  private static final Path EMULATION = Path.of("src/test/cpp");
  private static final Path LIBRARIES = Path.of("target/emulated");
  private static final String COMPILER = System.getProperty("ddpm.cxx", "g++");

  private static final String HEADER = "cuda_on_cpu.h";

  /** Trainings run these for longer than it takes to compile them; -O1 compiles as long. */
  private static final List<String> CODE =
      List.of("-std=c++17", "-O2", "-fPIC", "-fvisibility=hidden", "-w", "-DDDPM_ON_CPU");

  /** What makes the compiler call {@code watch.cpp}; lines are for those who look for a mistake. */
  private static final List<String> WATCHING =
      List.of(
          "-DCUDA_WATCHED",
          "-g1",
          "-fsanitize=thread",
          "--param=tsan-instrument-func-entry-exit=0",
          "-fsanitize=alignment,signed-integer-overflow,shift,bounds,integer-divide-by-zero,float-cast-overflow");

  /** Behind the preprocessor, without the launch bounds. */
  private static final Pattern KERNEL =
      Pattern.compile("extern\\s+\"C\"\\s+__global__\\s+void\\s+(\\w+)\\s*\\(");

  private static final String WRAPPER =
      """
      extern "C" __attribute__((visibility("default"))) const char* launch_%1$s(
          int x, int y, int z, int threads, int sharedBytes, void** arguments) {
        return cuda_on_cpu::launch_with_pointers(
            %1$s, dim3(x, y, z), dim3(threads), sharedBytes, arguments);
      }
      extern "C" __attribute__((visibility("default"))) const char* signature_%1$s() {
        return cuda_on_cpu::signature(%1$s);
      }
      """;

  private EmulatedKernels() {}

  /** Why there is no emulation here, or null. */
  static String obstacle() {
    return Obstacle.FOUND;
  }

  /** Looked for once. */
  private static final class Obstacle {
    static final String FOUND = find();

    private static String find() {
      if (!System.getProperty("os.name").equals("Linux")) {
        return "kernels are emulated on Linux only";
      }
      if (!Files.exists(jniHeaders().resolve("jni.h"))) {
        return "this Java has no jni.h in " + jniHeaders();
      }
      try {
        run(List.of(COMPILER, "--version"));
        return null;
      } catch (UncheckedIOException | IllegalStateException e) {
        return "there is no C++ compiler %s on the PATH".formatted(COMPILER);
      }
    }
  }

  private static Path jniHeaders() {
    return Path.of(System.getProperty("java.home"), "include");
  }

  /** The native half of the driver. */
  static Path machine() {
    Path source = EMULATION.resolve("emulated_driver.cpp");
    return made(
        library("machine", digest(List.of(source, EMULATION.resolve("watch.h")), List.of())),
        target ->
            run(
                List.of(
                    COMPILER,
                    "-std=c++17",
                    "-O2",
                    "-shared",
                    "-fPIC",
                    "-I" + jniHeaders(),
                    "-I" + jniHeaders().resolve("linux"),
                    source.toString(),
                    "-o",
                    target.toString())));
  }

  /** A driver that finds no card, under the name by which libraries look for it. */
  static Path withoutCard() {
    Path source = EMULATION.resolve("no_driver.cpp");
    return made(
        LIBRARIES.resolve(digest(List.of(source), List.of())).resolve("libcuda.so.1"),
        target ->
            run(
                List.of(
                    COMPILER,
                    "-shared",
                    "-fPIC",
                    "-Wl,-soname,libcuda.so.1",
                    source.toString(),
                    "-o",
                    target.toString())));
  }

  /**
   * The library of a source.
   *
   * @param watched whether each access to memory is looked at, which takes several times as long
   */
  static Path kernels(String file, List<String> defines, boolean watched) {
    Path source = source(file);
    if (!watched) {
      return made(
          library(file.replace(".cu", ""), digest(headersAnd(source), defines)),
          target -> compile(source, defines, CODE, List.of(), target));
    }
    List<String> code = new ArrayList<>(CODE);
    code.addAll(WATCHING);
    Path watcher = watcher();
    List<String> words = new ArrayList<>(defines);
    words.addAll(WATCHING);
    words.add(watcher.getFileName().toString());
    return made(
        library("watched-" + file.replace(".cu", ""), digest(headersAnd(source), words)),
        target -> compile(source, defines, code, List.of(watcher.toString()), target));
  }

  /** What libraries that are watched are linked with. */
  private static Path watcher() {
    Path source = EMULATION.resolve("watch.cpp");
    return made(
        LIBRARIES.resolve(
            "watch-%s.o".formatted(digest(List.of(source, EMULATION.resolve("watch.h")), CODE))),
        target ->
            run(
                List.of(
                    COMPILER,
                    "-std=c++17",
                    "-O2",
                    "-fPIC",
                    "-fvisibility=hidden",
                    "-c",
                    source.toString(),
                    "-o",
                    target.toString())));
  }

  /** One of ours, or of those that test the emulation itself. */
  private static Path source(String file) {
    return Stream.of(SOURCES, EMULATION)
        .map(folder -> folder.resolve(file))
        .filter(Files::exists)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "There is no source %s in %s.".formatted(file, SOURCES.toAbsolutePath())));
  }

  private static Path library(String name, String digest) {
    return LIBRARIES.resolve("%s-%s.so".formatted(name, digest));
  }

  private interface Compilation {
    void to(Path target) throws IOException;
  }

  /** Compiles to another name first, for several processes may do so at once. */
  private static synchronized Path made(Path file, Compilation compilation) {
    Path library = file.toAbsolutePath();
    if (Files.exists(library)) {
      return library;
    }
    try {
      Files.createDirectories(library.getParent());
      Path temporary = Files.createTempFile(library.getParent(), "made", ".tmp");
      try {
        compilation.to(temporary);
        return Files.move(temporary, library, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void compile(
      Path source, List<String> defines, List<String> options, List<String> linked, Path target)
      throws IOException {
    List<String> text = new ArrayList<>(List.of("-x", "c++", "-I" + SOURCES, "-I" + EMULATION));
    defines.forEach(define -> text.add("-D" + define));
    Path wrapped = Files.createTempFile(target.getParent(), "wrapped", ".cpp");
    Path object = Files.createTempFile(target.getParent(), "wrapped", ".o");
    try {
      // As a card's compiler sees it: without the headers of C++.
      String preprocessed =
          run(command(text, "-E", "-P", "-D__launch_bounds__(...)=", source.toString()));
      Files.writeString(wrapped, wrapped(source, preprocessed));
      List<String> code = new ArrayList<>(options);
      code.addAll(List.of("-I" + compiledHeader(options), "-include", HEADER));
      code.addAll(text);
      // In two steps, for no sanitizer's runtime is to be linked.
      run(command(code, "-c", wrapped.toString(), "-o", object.toString()));
      List<String> linking = new ArrayList<>(List.of("-shared", "-Wl,-Bsymbolic"));
      linking.add(object.toString());
      linking.addAll(linked);
      run(command(linking, "-o", target.toString()));
    } finally {
      Files.delete(wrapped);
      Files.delete(object);
    }
  }

  /**
   * The folder of the emulation's header as the compiler read it once: for most sources there is
   * more text in it than in them. A compiler that knows no such headers reads it anew.
   */
  private static Path compiledHeader(List<String> options) {
    Path header = EMULATION.resolve(HEADER);
    List<Path> read = List.of(header, EMULATION.resolve("watch.h"));
    Path folder = LIBRARIES.resolve("header-" + digest(read, options));
    made(
        folder.resolve(HEADER),
        target -> Files.copy(header, target, StandardCopyOption.REPLACE_EXISTING));
    made(
        folder.resolve(HEADER + ".gch"),
        target ->
            run(command(options, "-x", "c++-header", header.toString(), "-o", target.toString())));
    return folder;
  }

  private static List<String> command(List<String> options, String... more) {
    List<String> all = new ArrayList<>(List.of(COMPILER));
    all.addAll(options);
    all.addAll(List.of(more));
    return all;
  }

  private static String wrapped(Path source, String preprocessed) {
    Set<String> kernels = kernelsIn(preprocessed);
    if (kernels.isEmpty()) {
      throw new IllegalStateException(source + " has no extern \"C\" __global__ kernel.");
    }
    StringBuilder text = new StringBuilder("#include \"%s\"%n".formatted(source.getFileName()));
    kernels.forEach(kernel -> text.append(WRAPPER.formatted(kernel)));
    return text.toString();
  }

  private static Set<String> kernelsIn(String preprocessed) {
    Set<String> names = new LinkedHashSet<>();
    Matcher matcher = KERNEL.matcher(preprocessed);
    while (matcher.find()) {
      names.add(matcher.group(1));
    }
    return names;
  }

  /** Our sources' names. */
  static List<String> sources() {
    return files(SOURCES, ".cu").stream().map(path -> path.getFileName().toString()).toList();
  }

  private static List<Path> headersAnd(Path source) {
    List<Path> all = new ArrayList<>(files(SOURCES, ".cuh"));
    all.addAll(files(EMULATION, ".h"));
    all.add(source);
    return all;
  }

  private static List<Path> files(Path folder, String ending) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(path -> path.toString().endsWith(ending)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String digest(List<Path> files, List<String> defines) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(
          (WRAPPER + COMPILER + CODE + new TreeSet<>(defines)).getBytes(StandardCharsets.UTF_8));
      for (Path file : files) {
        digest.update(Files.readAllBytes(file));
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 12);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a program prints; its errors in the exception if it fails. */
  private static String run(List<String> command) {
    try {
      Path errors = Files.createTempFile("emulated", ".log");
      try {
        Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
          throw new IllegalStateException(
              "%s failed:%n%s".formatted(String.join(" ", command), Files.readString(errors)));
        }
        return output;
      } finally {
        Files.delete(errors);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
