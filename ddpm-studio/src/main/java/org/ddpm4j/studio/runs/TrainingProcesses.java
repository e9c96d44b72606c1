package org.ddpm4j.studio.runs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;

/**
 * Trainings that were begun here. Each is a process that writes its words to a file beside its run,
 * and saves a checkpoint when it is asked to end.
 */
public final class TrainingProcesses implements AutoCloseable {

  private static final int SECONDS_TO_SAVE = 30;

  private final Path folder;
  private final TrainingLauncher launcher;
  private final Map<String, Process> processes = new ConcurrentHashMap<>();
  private final Set<String> paused = ConcurrentHashMap.newKeySet();
  private final Set<String> askedToEnd = ConcurrentHashMap.newKeySet();

  /**
   * None yet.
   *
   * @param folder of the runs
   * @param launcher begins trainings
   */
  public TrainingProcesses(Path folder, TrainingLauncher launcher) {
    this.folder = folder;
    this.launcher = launcher;
  }

  /**
   * Begins a training, or goes on with one.
   *
   * @param name of the run's folder
   * @param arguments of {@code ddpm train}
   * @throws IOException if the process cannot be started
   * @throws IllegalStateException if a training that was begun here is under way
   */
  public synchronized void start(String name, List<String> arguments) throws IOException {
    requireNoneRunning();
    Folders.create(folder);
    Process process =
        new ProcessBuilder(launcher.command(arguments))
            .redirectInput(ProcessBuilder.Redirect.PIPE)
            .redirectErrorStream(true)
            .redirectOutput(log(name).toFile())
            .start();
    process.getOutputStream().close();
    processes.put(name, process);
    paused.remove(name);
    askedToEnd.remove(name);
  }

  /**
   * Checks what {@link #start} asks for.
   *
   * @throws IllegalStateException if a training that was begun here is under way
   */
  public synchronized void requireNoneRunning() {
    for (Map.Entry<String, Process> other : processes.entrySet()) {
      if (other.getValue().isAlive()) {
        throw new IllegalStateException(
            Text.format(
                "The run %s is being trained; stop it first, or wait until it ends.",
                other.getKey()));
      }
    }
  }

  /**
   * Asks a training to save and end, to go on later as if it had not ended.
   *
   * @param name of the run's folder
   * @return false if it was not begun here or has ended
   */
  public boolean pause(String name) {
    if (!stop(name)) {
      return false;
    }
    paused.add(name);
    return true;
  }

  /**
   * Whether a training was paused, not stopped.
   *
   * @param name of the run's folder
   * @return true until it goes on
   */
  public boolean isPaused(String name) {
    return paused.contains(name);
  }

  private Path log(String name) {
    return folder.resolve(name + ".log");
  }

  /**
   * Whether a training that was begun here is under way.
   *
   * @param name of the run's folder
   * @return true if its process lives
   */
  public boolean isRunning(String name) {
    Process process = processes.get(name);
    return process != null && process.isAlive();
  }

  /**
   * Why a training that was begun here failed.
   *
   * @param name of the run's folder
   * @return its last words, or empty if it did not fail
   */
  public Optional<String> failure(String name) {
    Process process = processes.get(name);
    if (process == null || process.isAlive() || process.exitValue() == 0) {
      return Optional.empty();
    }
    if (isEndedBySignal(name)) {
      return Optional.empty();
    }
    String silent = Text.format("The training ended with %d.", process.exitValue());
    try (Stream<String> lines = Files.lines(log(name))) {
      return Optional.of(
          lines.filter(line -> !line.isBlank()).reduce((first, second) -> second).orElse(silent));
    } catch (IOException | RuntimeException e) {
      return Optional.of(silent);
    }
  }

  /**
   * Whether a training that was begun here was ended by us, or by the system.
   *
   * @param name of the run's folder
   * @return true if its process says so
   */
  public boolean isEndedBySignal(String name) {
    Process process = processes.get(name);
    // 128 and the number of the signal.
    return process != null && !process.isAlive() && process.exitValue() > 128;
  }

  /**
   * The names of trainings begun here that have no folder yet or failed.
   *
   * @return all that were begun
   */
  public List<String> names() {
    return List.copyOf(processes.keySet());
  }

  /**
   * Asks a training to save and end.
   *
   * @param name of the run's folder
   * @return false if it was not begun here or has ended
   */
  public boolean stop(String name) {
    Process process = processes.get(name);
    if (process == null || !process.isAlive()) {
      return false;
    }
    paused.remove(name);
    askedToEnd.add(name);
    process.destroy();
    return true;
  }

  /**
   * Whether a training was stopped or paused here, since it began or went on.
   *
   * @param name of the run's folder
   * @return true if {@link #stop} or {@link #pause} has asked it to end
   */
  public boolean isAskedToEnd(String name) {
    return askedToEnd.contains(name);
  }

  /** Asks all to save and end, and waits until they have. */
  @Override
  public void close() {
    processes.values().forEach(Process::destroy);
    for (Process process : processes.values()) {
      try {
        if (!process.waitFor(SECONDS_TO_SAVE, TimeUnit.SECONDS)) {
          process.destroyForcibly();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
