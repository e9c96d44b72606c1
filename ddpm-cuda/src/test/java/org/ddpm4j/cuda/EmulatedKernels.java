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

  /** As cuda_on_cpu.h spells __global__, behind the preprocessor. */
  private static final Pattern KERNEL =
      Pattern.compile(
          "extern\\s+\"C\"\\s+__attribute__\\(\\(used, visibility\\(\"default\"\\)\\)\\)"
              + "\\s+void\\s+(\\w+)\\s*\\(");

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
    return library(
        "machine",
        digest(List.of(source), List.of()),
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

  /** The library of a source. */
  static Path kernels(String file, List<String> defines) {
    Path source = source(file);
    return library(
        file.replace(".cu", ""),
        digest(headersAnd(source), defines),
        target -> compile(source, defines, target));
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

  private interface Compilation {
    void to(Path target) throws IOException;
  }

  /** Compiles to another name first, for several processes may do so at once. */
  private static synchronized Path library(String name, String digest, Compilation compilation) {
    Path library = LIBRARIES.resolve("%s-%s.so".formatted(name, digest)).toAbsolutePath();
    if (Files.exists(library)) {
      return library;
    }
    try {
      Files.createDirectories(library.getParent());
      Path temporary = Files.createTempFile(library.getParent(), name, ".tmp");
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

  private static void compile(Path source, List<String> defines, Path target) throws IOException {
    List<String> command = new ArrayList<>(List.of(COMPILER, "-std=c++17", "-DDDPM_ON_CPU"));
    defines.forEach(define -> command.add("-D" + define));
    command.addAll(List.of("-I" + SOURCES, "-I" + EMULATION, "-w", "-x", "c++"));
    Path wrapped = Files.createTempFile(target.getParent(), "wrapped", ".cpp");
    try {
      Files.writeString(
          wrapped, wrapped(source, run(with(command, "-E", "-P", source.toString()))));
      run(
          with(
              command,
              "-O3",
              "-shared",
              "-fPIC",
              "-fvisibility=hidden",
              "-Wl,-Bsymbolic",
              wrapped.toString(),
              "-o",
              target.toString()));
    } finally {
      Files.delete(wrapped);
    }
  }

  private static List<String> with(List<String> command, String... more) {
    List<String> all = new ArrayList<>(command);
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
      digest.update((WRAPPER + COMPILER + new TreeSet<>(defines)).getBytes(StandardCharsets.UTF_8));
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
