package org.ddpm4j.studio.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.File;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.runs.RunFixture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/**
 * The page in a real browser: Chromium of the system, with its driver; skipped where there is none.
 * With {@code -Dddpm4j.screenshots=DIR} it leaves pictures of all rooms.
 */
class BrowserTest {

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @TempDir static Path folder;

  private static StudioServer server;
  private static ChromeDriver browser;

  @BeforeAll
  static void open() throws Exception {
    Optional<Path> chromium = program("chromium", "chromium-browser", "google-chrome");
    Optional<Path> driver = program("chromedriver");
    Assumptions.assumeTrue(
        chromium.isPresent() && driver.isPresent(),
        "There is no Chromium with its driver; install chromium and chromium-driver.");
    Path runs = folder.resolve("runs");
    RunFixture.write(runs.resolve("clothes-at-noon"), ProcessHandle.current().pid());
    RunFixture.writeEarlier(runs.resolve("clothes-at-dawn"));
    server =
        new StudioServer(
            ServerOptions.loopback(0),
            List.of(ModelSource.bundled()),
            Optional.of(
                new StudioOptions(
                    runs, words -> List.of("sleep", "600"), Map.of("clothes", List.of()))));
    ChromeOptions options = new ChromeOptions();
    options.setBinary(chromium.get().toString());
    options.addArguments(
        "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1360,900");
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    options.setCapability("goog:loggingPrefs", logs);
    ChromeDriverService service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(driver.get().toFile())
            .usingAnyFreePort()
            .build();
    browser = new ChromeDriver(service, options);
  }

  private static Optional<Path> program(String... names) {
    return Stream.of(names)
        .flatMap(
            name ->
                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                    .map(place -> Path.of(place, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  @AfterAll
  static void close() {
    if (browser != null) {
      browser.quit();
    }
    if (server != null) {
      server.close();
    }
  }

  @BeforeEach
  void openPage() {
    visit("draw");
  }

  @AfterEach
  void nothingWentWrongInTheConsole() {
    List<LogEntry> problems =
        browser.manage().logs().get(LogType.BROWSER).getAll().stream()
            .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
            .toList();
    assertThat(problems).isEmpty();
    browser.executeCdpCommand("Emulation.clearDeviceMetricsOverride", Map.of());
  }

  private static void visit(String room) {
    browser.get("about:blank");
    browser.get("http://localhost:" + server.port() + "/#" + room);
    await(() -> byId("room-" + room).isDisplayed());
    await(
        () ->
            !byId("draw-model").findElements(By.tagName("option")).isEmpty()
                || !room.equals("draw"));
  }

  private static boolean loaded(String select) {
    return !byId(select).findElements(By.tagName("option")).isEmpty();
  }

  private interface Condition {
    boolean holds();
  }

  private static void await(Condition condition) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!holds(condition)) {
      assertThat(System.nanoTime()).as("the end of patience").isLessThan(deadline);
      try {
        Thread.sleep(50);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** The page draws lists anew while a test looks at them; then it has to look again. */
  private static boolean holds(Condition condition) {
    try {
      return condition.holds();
    } catch (StaleElementReferenceException e) {
      return false;
    }
  }

  private static void press(String selector, Keys key) {
    browser.findElement(By.cssSelector(selector)).sendKeys(key);
  }

  private static WebElement byId(String id) {
    return browser.findElement(By.id(id));
  }

  private static List<WebElement> tiles(String list) {
    return byId(list).findElements(By.cssSelector(".tile"));
  }

  private static void set(String id, Object value) {
    browser.executeScript(
        "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
            + " e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change'));",
        id,
        value);
  }

  private static void screenshot(String name) throws Exception {
    String place = System.getProperty("ddpm4j.screenshots");
    if (place != null) {
      Files.createDirectories(Path.of(place));
      browser.executeScript("scrollTo(0, 0)");
      Files.write(Path.of(place, name + ".png"), browser.getScreenshotAs(OutputType.BYTES));
    }
  }

  private static void drawSome(int count, int steps) {
    set("draw-count", count);
    set("draw-steps", steps);
    byId("draw-go").click();
    await(() -> byId("draw-status").getText().matches("\\d+ images? in .*"));
  }

  /** Levels of a canvas, for comparison. */
  private static Object pixels(WebElement canvas) {
    return browser.executeScript("return arguments[0].toDataURL()", canvas);
  }

  private static void dark(boolean on) {
    browser.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of(
            "features",
            List.of(Map.of("name", "prefers-color-scheme", "value", on ? "dark" : "light"))));
  }

  @Test
  void drawsAndShowsHowAnImageCameToBe() throws Exception {
    screenshot("draw-empty");
    drawSome(18, 12);
    assertThat(tiles("draw-tiles")).hasSize(18);
    assertThat(tiles("draw-tiles").get(2).getText()).endsWith("3");
    screenshot("draw");

    tiles("draw-tiles").get(4).click();
    await(() -> byId("detail").isDisplayed());
    assertThat(byId("detail-command").getText())
        .startsWith("ddpm sample --count 1 --seed 5 ")
        .contains("--sampler unipc --steps 12");
    Object image = pixels(byId("detail-canvas"));
    set("detail-time", 1);
    assertThat(byId("detail-time-out").getText()).isEqualTo("step 2 of 12");
    assertThat(pixels(byId("detail-canvas"))).isNotEqualTo(image);
    screenshot("detail");
    checkAccessibility();

    byId("detail-redraw").click();
    await(() -> byId("detail-redraw").isEnabled());
    assertThat(pixels(byId("detail-canvas"))).isNotEqualTo(image);
    new Actions(browser).sendKeys(Keys.ESCAPE).perform();
    await(() -> !byId("detail").isDisplayed());
  }

  @Test
  void isUsedByKeyboardAlone() {
    set("draw-count", 2);
    set("draw-steps", 2);
    byId("draw-seed").sendKeys(Keys.ENTER);
    await(() -> byId("draw-status").getText().startsWith("2 images in"));
    tiles("draw-tiles").get(1).sendKeys(Keys.ENTER);
    await(() -> byId("detail").isDisplayed());
    new Actions(browser).sendKeys(Keys.ESCAPE).perform();
    await(() -> !byId("detail").isDisplayed());
    assertThat(browser.switchTo().activeElement()).isEqualTo(tiles("draw-tiles").get(1));
  }

  @Test
  void stopsADrawing() {
    set("draw-count", 64);
    set("draw-steps", 100);
    byId("draw-go").click();
    await(() -> byId("draw-status").getText().startsWith("Step"));
    byId("draw-stop").click();
    await(() -> byId("draw-status").getText().equals("Stopped."));
  }

  @Test
  void paintsInAndBlends() throws Exception {
    drawSome(4, 10);
    browser.findElement(By.cssSelector(".bar a[href='#edit']")).click();
    await(() -> byId("edit-desk").isDisplayed());
    Object before = pixels(byId("edit-canvas"));
    set("edit-brush", 14);
    new Actions(browser)
        .moveToElement(byId("edit-canvas"), -40, 30)
        .clickAndHold()
        .moveByOffset(80, 10)
        .release()
        .perform();
    assertThat(pixels(byId("edit-canvas"))).isNotEqualTo(before);
    set("edit-steps", 20);
    set("edit-count", 6);
    byId("edit-go").click();
    await(() -> byId("edit-status").getText().startsWith("6 images in"));
    screenshot("edit");
    checkAccessibility();

    browser.findElement(By.cssSelector("input[value=image-to-image]")).sendKeys(Keys.SPACE);
    set("edit-count", 2);
    set("edit-strength", 0.3);
    byId("edit-go").click();
    await(() -> byId("edit-status").getText().startsWith("2 images in"));
    Object little = pixels(tiles("edit-tiles").get(0).findElement(By.tagName("canvas")));
    set("edit-strength", 0.9);
    byId("edit-go").click();
    await(() -> byId("edit-status").getText().startsWith("2 images in"));
    assertThat(pixels(tiles("edit-tiles").get(0).findElement(By.tagName("canvas"))))
        .isNotEqualTo(little);

    browser.findElement(By.cssSelector("input[value=interpolate]")).sendKeys(Keys.SPACE);
    set("edit-to", "1");
    byId("edit-go").click();
    await(() -> byId("edit-status").getText().startsWith("9 images in"));
    Object middle = pixels(byId("edit-between"));
    set("edit-between-at", 8);
    assertThat(pixels(byId("edit-between"))).isNotEqualTo(middle);
    screenshot("blend");
  }

  @Test
  void invertsAPictureOfOnesOwn() throws Exception {
    BufferedImage picture = new BufferedImage(56, 56, BufferedImage.TYPE_INT_RGB);
    picture.createGraphics().fillRect(14, 14, 28, 28);
    Path file = Files.write(folder.resolve("square.png"), Images.png(picture));
    browser.findElement(By.cssSelector(".bar a[href='#edit']")).click();
    await(() -> byId("room-edit").isDisplayed());
    byId("edit-file").sendKeys(file.toString());
    await(() -> byId("edit-desk").isDisplayed());
    browser.findElement(By.cssSelector("input[value=invert]")).sendKeys(Keys.SPACE);
    set("edit-steps", 40);
    byId("edit-go").click();
    await(() -> byId("edit-status").getText().startsWith("Drawn again with an error of"));
    assertThat(tiles("edit-tiles")).hasSize(2);
    Object noise = pixels(byId("edit-between"));
    assertThat(byId("edit-between-out").getText()).isEqualTo("40 of 40 steps to the noise");
    screenshot("invert");
    checkAccessibility();
    set("edit-between-at", 0);
    assertThat(byId("edit-between-out").getText()).isEqualTo("the image");
    assertThat(pixels(byId("edit-between"))).isNotEqualTo(noise);
  }

  @Test
  void paintingNeedsNoPointer() {
    drawSome(1, 1);
    browser.findElement(By.cssSelector(".bar a[href='#edit']")).click();
    await(() -> byId("edit-desk").isDisplayed());
    Object before = pixels(byId("edit-canvas"));
    byId("edit-canvas").sendKeys(Keys.ARROW_LEFT, Keys.SPACE, Keys.ARROW_UP, Keys.SPACE);
    assertThat(pixels(byId("edit-canvas"))).isNotEqualTo(before);
  }

  @Test
  void showsARunOfAnotherProcessAndBeginsOne() throws Exception {
    RunFixture.touch(folder.resolve("runs").resolve("clothes-at-noon"));
    visit("train");
    await(() -> !byId("train-run").findElements(By.cssSelector(".chart path.curve")).isEmpty());
    assertThat(byId("train-runs").getText()).contains("clothes-at-noon", "training");
    assertThat(byId("train-run").getText())
        .contains("0.0321", "413", "1 min 33 s", "step 750", "0.002", "Learning rate");
    assertThat(byId("train-compare-chart").findElements(By.cssSelector("path.curve"))).hasSize(2);
    screenshot("train");
    checkAccessibility();

    press("[data-compare=clothes-at-dawn]", Keys.SPACE);
    await(() -> byId("train-compare-chart").findElements(By.cssSelector("path.curve")).size() == 1);
    press("[data-run=clothes-at-dawn]", Keys.ENTER);
    await(() -> byId("train-run").getText().contains("Fréchet distance"));
    assertThat(byId("train-run").getText()).contains("41.5", "Loss per timestep");

    set("train-name", "mine");
    byId("train-form").submit();
    await(() -> byId("train-runs").getText().contains("mine"));
    assertThat(byId("train-status").getText()).startsWith("mine begins");
  }

  /** Each for a moment, were the way to the service longer than that. */
  @Test
  void theFilmLeavesNoGridOut() {
    visit("train");
    await(() -> !browser.findElements(By.cssSelector("[data-run=clothes-at-noon]")).isEmpty());
    press("[data-run=clothes-at-noon]", Keys.ENTER);
    await(() -> byId("train-run").getText().startsWith("clothes-at-noon"));
    By play = By.cssSelector("#train-run .film button");
    await(() -> browser.findElement(play).isDisplayed());
    browser.executeScript(
        "const caption = document.querySelector('#train-run .film output'); window.captions = [];"
            + "new MutationObserver(() => captions.push(caption.textContent))"
            + "  .observe(caption, { childList: true });");
    browser.executeCdpCommand("Network.enable", Map.of());
    delayAnswers(600);
    try {
      browser.findElement(play).sendKeys(Keys.ENTER);
      await(() -> browser.findElement(play).getText().equals("Play"));
    } finally {
      delayAnswers(0);
    }
    assertThat((List<?>) browser.executeScript("return captions"))
        .isEqualTo(List.of("step 250", "step 500", "step 750"));
  }

  private static void delayAnswers(int millis) {
    browser.executeCdpCommand(
        "Network.emulateNetworkConditions",
        Map.of(
            "offline", false, "latency", millis, "downloadThroughput", -1, "uploadThroughput", -1));
  }

  /** The list is read every other second; a button may be down at that moment. */
  @Test
  void aClickLastsLongerThanTheFiguresOfARun() {
    visit("train");
    By row = By.cssSelector("[data-run=clothes-at-dawn]");
    await(() -> !browser.findElements(row).isEmpty());
    new Actions(browser).clickAndHold(browser.findElement(row)).perform();
    WebElement focused = browser.switchTo().activeElement();
    long before = timesRead();
    await(() -> timesRead() >= before + 2);
    new Actions(browser).release().perform();
    await(() -> byId("train-run").getText().startsWith("clothes-at-dawn"));
    assertThat(browser.switchTo().activeElement()).isEqualTo(focused);
  }

  private static long timesRead() {
    return (Long)
        browser.executeScript(
            "return performance.getEntriesByType('resource')"
                + ".filter(e => e.name.endsWith('/v1/runs')).length");
  }

  @Test
  void uploadsAFolderAndRemovesIt() throws Exception {
    Path pets = Files.createDirectories(folder.resolve("My pets"));
    byte[] picture = Images.png(new BufferedImage(9, 9, BufferedImage.TYPE_INT_RGB));
    for (String name : List.of("cats/1.png", "cats/2.png", "dogs/1.png")) {
      Files.createDirectories(pets.resolve(name).getParent());
      Files.write(pets.resolve(name), picture);
    }
    Files.writeString(pets.resolve("dogs/damaged.png"), "no image");
    Files.writeString(pets.resolve("notes.txt"), "no image");
    visit("train");
    browser.findElement(By.cssSelector("#train-upload summary")).click();
    byId("train-folder").sendKeys(pets.toString());
    await(() -> byId("train-upload-status").getText().equals("4 images of 5 files."));
    byId("train-send").click();
    await(() -> byId("train-upload-status").getText().contains("My-pets has"));
    assertThat(byId("train-upload-status").getText())
        .isEqualTo("My-pets has 3 images; 1 could not be read.");
    assertThat(byId("train-dataset").getDomProperty("value")).isEqualTo("My-pets");
    assertThat(folder.resolve("runs/uploads/My-pets/cats/000001.png")).exists();
    screenshot("upload");
    checkAccessibility();
    await(() -> byId("train-forget").isDisplayed());
    byId("train-forget").click();
    await(() -> !Files.exists(folder.resolve("runs/uploads/My-pets")));
  }

  @Test
  void showsTheForwardProcess() throws Exception {
    drawSome(6, 10);
    browser.findElement(By.cssSelector(".bar a[href='#understand']")).click();
    await(() -> !byId("understand-chart").findElements(By.cssSelector("path.curve")).isEmpty());
    assertThat(byId("understand-chart").findElements(By.cssSelector("path.curve")))
        .hasSizeGreaterThanOrEqualTo(9);
    set("understand-t", 0);
    Object little = pixels(byId("understand-xt"));
    set("understand-t", 25);
    assertThat(pixels(byId("understand-xt"))).isNotEqualTo(little);
    byId("understand-measure").click();
    await(() -> !byId("understand-loss").findElements(By.cssSelector("path.curve")).isEmpty());
    screenshot("understand");
    checkAccessibility();

    set("understand-timesteps", 100);
    await(() -> byId("understand-advice").getText().contains("100"));
    assertThat(byId("understand-figures").getText()).contains("nowhere");
  }

  private static void telephone() {
    browser.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", 390, "height", 844, "deviceScaleFactor", 2, "mobile", true));
  }

  @Test
  void fitsATelephoneInTheDarkAndTheLight() throws Exception {
    dark(true);
    telephone();
    drawSome(6, 8);
    for (String room : List.of("draw", "edit", "train", "understand")) {
      browser.findElement(By.cssSelector(".bar a[href='#" + room + "']")).click();
      await(() -> byId("room-" + room).isDisplayed());
      assertThat(browser.executeScript("return document.documentElement.scrollWidth"))
          .as("the width of %s", room)
          .isEqualTo(390L);
      assertThat(browser.executeScript("return document.documentElement.dataset.theme"))
          .isEqualTo("dark");
      screenshot("phone-dark-" + room);
      checkAccessibility();
      changeTheme("light");
      screenshot("phone-" + room);
      checkAccessibility();
      changeTheme("dark");
    }
  }

  /** As the button does, or the system where nobody pressed it. */
  private static void changeTheme(String theme) {
    dark(theme.equals("dark"));
    await(
        () -> theme.equals(browser.executeScript("return document.documentElement.dataset.theme")));
  }

  /**
   * What is seen stays where it is while a page loads, fills and draws. Nothing is clicked, since
   * browsers count what moves after a click as wanted.
   */
  @Test
  void nothingJumps() throws Exception {
    RunFixture.touch(folder.resolve("runs").resolve("clothes-at-noon"));
    Object script =
        browser
            .executeCdpCommand(
                "Page.addScriptToEvaluateOnNewDocument",
                Map.of(
                    "source",
                    "window.shifts = []; new PerformanceObserver(list => { for (const e of list.getEntries())"
                        + " shifts.push(`${e.value} of ${e.sources.map(s => (s.node?.id || s.node?.className"
                        + " || s.node?.nodeName) + ' ' + JSON.stringify([s.previousRect, s.currentRect]))}`); })"
                        + ".observe({type: 'layout-shift', buffered: true});"))
            .get("identifier");
    try {
      for (boolean isTelephone : List.of(false, true)) {
        if (isTelephone) {
          telephone();
        }
        for (String room : List.of("draw", "train", "understand", "edit")) {
          visit(room);
          assertThat(shiftsOf(room)).as("%s is loaded", room).isEmpty();
        }
        visit("draw");
        for (int images : isTelephone ? List.of(9) : List.of(2, 30)) {
          set("draw-count", images);
          set("draw-steps", 2);
          browser.executeScript("document.getElementById('draw-form').requestSubmit()");
          await(() -> byId("draw-status").getText().startsWith(images + " images in"));
          assertThat(shiftsOf("draw")).as("%d images are drawn", images).isEmpty();
        }
        for (String room :
            isTelephone ? List.of("train") : List.of("edit", "train", "understand", "draw")) {
          browser.executeScript("location.hash = arguments[0]", room);
          assertThat(shiftsOf(room)).as("%s is opened", room).isEmpty();
        }
      }
      browser.executeScript("document.getElementById('main').prepend('what pushes all down')");
      assertThat(shiftsOf("train")).as("a jump is noticed").isNotEmpty();
    } finally {
      browser.executeCdpCommand(
          "Page.removeScriptToEvaluateOnNewDocument", Map.of("identifier", script));
    }
  }

  /** A slow browser paints the bar before all of it is parsed: what stands there already stays. */
  @Test
  void theBarStaysWhileItIsParsed() {
    for (boolean isTelephone : List.of(false, true)) {
      if (isTelephone) {
        telephone();
      }
      visit("draw");
      assertThat(
              (List<?>)
                  browser.executeScript(
                      "const bar = document.querySelector('header.bar'), moved = [];"
                          + "const places = () => [...bar.querySelectorAll('*')].map(part => {"
                          + "  const {x, y, height} = part.getBoundingClientRect();"
                          + "  return height === 0 ? null : [part.id || part.className || part.nodeName, x, y]; });"
                          + "const whole = places();"
                          + "while (bar.children.length > 1) {"
                          + "  let last = bar.lastChild;"
                          + "  while (last.lastChild) last = last.lastChild;"
                          + "  last.remove();"
                          + "  places().forEach((place, i) => {"
                          + "    if (place && JSON.stringify(place) !== JSON.stringify(whole[i])) moved.push([place, whole[i]]); });"
                          + "} return moved;"))
          .as(isTelephone ? "telephone" : "desk")
          .isEmpty();
    }
  }

  /** What has moved in a room since its document was loaded, once all of it is there. */
  private static List<?> shiftsOf(String room) {
    if (room.equals("train")) {
      // Another test may have begun a newer one, which has no film.
      await(
          () ->
              Boolean.TRUE.equals(
                  browser.executeScript(
                      "const row = document.querySelector('[data-run=clothes-at-noon]');"
                          + " row?.click(); return row !== null")));
    }
    await(
        () ->
            switch (room) {
              case "train" ->
                  byId("train-run").findElements(By.cssSelector(".film img")).stream()
                      .anyMatch(WebElement::isDisplayed);
              case "understand" ->
                  !byId("understand-chart").findElements(By.cssSelector("path.curve")).isEmpty();
              case "edit" -> loaded("edit-class");
              default -> loaded("draw-model");
            });
    return (List<?>)
        browser.executeAsyncScript(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() =>"
                + " setTimeout(() => done(shifts), 50)))");
  }

  /** Deque's axe finds nothing serious. */
  private static void checkAccessibility() throws Exception {
    try (InputStream script = BrowserTest.class.getResourceAsStream("/axe.min.js")) {
      browser.executeScript(new String(script.readAllBytes(), StandardCharsets.UTF_8));
    }
    Object found =
        browser.executeAsyncScript(
            "const done = arguments[arguments.length - 1];"
                + "axe.run().then(r => done(r.violations"
                + ".filter(v => ['serious', 'critical'].includes(v.impact))"
                + ".map(v => v.id + ': ' + v.nodes.map(n => n.html + n.failureSummary).join('; '))));");
    assertThat((List<?>) found).isEmpty();
  }
}
