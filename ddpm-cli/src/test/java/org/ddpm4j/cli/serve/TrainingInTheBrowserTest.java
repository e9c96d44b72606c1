package org.ddpm4j.cli.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.ddpm4j.cli.Cli;
import org.ddpm4j.cli.IdxFixture;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.server.ServerOptions;
import org.ddpm4j.studio.server.StudioOptions;
import org.ddpm4j.studio.server.StudioServer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeOptions;

/** A training is begun, paused and stopped by buttons, and the command line goes on with it. */
class TrainingInTheBrowserTest {

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @TempDir private Path folder;

  private static Optional<Path> program(String name) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .map(place -> Path.of(place, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  @BeforeEach
  void requireChromium() {
    Assumptions.assumeTrue(
        program("chromium").isPresent() && program("chromedriver").isPresent(),
        "There is no Chromium with its driver; install chromium and chromium-driver.");
  }

  @Test
  void isBegunPausedStoppedAndResumedByTheCommandLine() throws Exception {
    Path runs = folder.resolve("runs");
    Path run = runs.resolve("one");
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 0);
    List<String> options = new ArrayList<>(List.of("--data", data.toString()));
    options.addAll(Cli.tiny());
    try (StudioServer server =
        new StudioServer(
            ServerOptions.loopback(0),
            List.of(ModelSource.bundled()),
            Optional.of(new StudioOptions(runs, new SameProgram(), Map.of("tiny", options))))) {
      // Named, so that Selenium does not go and look for one elsewhere.
      System.setProperty(
          "webdriver.chrome.driver", program("chromedriver").orElseThrow().toString());
      ChromeDriver browser =
          new ChromeDriver(
              new ChromeOptions()
                  .setBinary(program("chromium").orElseThrow().toString())
                  .addArguments("--headless=new", "--no-sandbox", "--disable-gpu"));
      try {
        browser.get("http://localhost:" + server.port() + "/#train");
        Page page = new Page(browser);
        page.await("the data", () -> !page.all("#train-dataset option").isEmpty());
        page.write("train-name", "one");
        page.write("train-steps", "5000000");
        browser.findElement(By.cssSelector("#train-form button.main")).click();
        page.await("training", () -> page.badge().equals("training") && page.step() > 0);
        page.press("Pause");
        page.await("the pause", () -> page.badge().equals("paused"));
        long paused = latest(run);
        page.press("Go on");
        page.await("training again", () -> page.badge().equals("training") && page.step() > paused);
        page.press("Stop and save");
        page.await("the end", () -> page.badge().equals("stopped"));
        assertThat(latest(run)).isGreaterThan(paused);
      } finally {
        browser.quit();
      }
    }
    long before = latest(run);
    Cli.run(
            "train",
            "--resume",
            run,
            "--data",
            data,
            "--offline",
            "--time-limit",
            "0.00001",
            "--sample-steps",
            "2")
        .isOk();
    assertThat(latest(run)).isGreaterThan(before);
  }

  private static long latest(Path run) throws Exception {
    String file = new RunFolder(run).checkpoints().latest().orElseThrow().getFileName().toString();
    return Long.parseLong(file.replaceAll("\\D", ""));
  }

  /** The page, which draws its list of runs anew every other second. */
  private record Page(ChromeDriver browser) {

    private interface Condition {
      boolean holds();
    }

    List<WebElement> all(String selector) {
      return browser.findElements(By.cssSelector(selector));
    }

    private Object script(String text, Object... arguments) {
      return browser.executeScript(text, arguments);
    }

    void write(String id, String value) {
      script("document.getElementById(arguments[0]).value = arguments[1]", id, value);
    }

    String badge() {
      return (String)
          script("return document.querySelector('#train-runs .badge')?.textContent ?? ''");
    }

    /** The newest that the list says. */
    long step() {
      return (Long)
          script(
              "return Number(document.querySelector('#train-runs .facts')"
                  + "?.textContent.match(/^step (\\d+)/)?.[1] ?? 0)");
    }

    void press(String label) {
      await(
          label,
          () ->
              Boolean.TRUE.equals(
                  script(
                      "const b = [...document.querySelectorAll('#train-run button')]"
                          + ".find(e => e.textContent === arguments[0] && !e.hidden && !e.disabled);"
                          + "b?.click(); return b !== undefined",
                      label)));
    }

    void await(String what, Condition condition) {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (!condition.holds()) {
        assertThat(System.nanoTime()).as(what).isLessThan(deadline);
        try {
          Thread.sleep(100);
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
    }
  }
}
