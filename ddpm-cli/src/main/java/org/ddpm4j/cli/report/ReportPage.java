package org.ddpm4j.cli.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.ddpm4j.cli.options.ChainOptions;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.KnownDataSet;
import org.ddpm4j.cli.options.NetworkWords;
import org.ddpm4j.cli.options.PixelScale;
import org.ddpm4j.cli.terminal.ShellWord;
import org.ddpm4j.diffusion.image.Augmentation;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.training.LossHistory;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.Text;

/**
 * The report of a run as one HTML page that needs no other file.
 *
 * @param folder of the run
 * @param config of the run
 * @param step number of steps done
 * @param parameters number of the network's parameters
 * @param history the losses so far
 * @param grids pictures of samples along the way, in the order of their steps
 * @param lossPicture the loss curve, if the file exists
 * @param samples the samples of the end, if the file exists
 * @param trainingImages some of the images that are trained on, if the file exists
 * @param sittings how long the training took, and on what
 * @param distancePicture the distances from real images, if the file exists
 */
record ReportPage(
    Path folder,
    RunConfig config,
    long step,
    long parameters,
    List<LossHistory.Entry> history,
    List<Path> grids,
    Path lossPicture,
    Path samples,
    Path trainingImages,
    List<Sitting> sittings,
    Path distancePicture) {

  /** A page of more pictures gets long and heavy; the files are all there. */
  private static final int MAX_GRIDS = 12;

  private static final String STYLE =
      """
      :root { color-scheme: light dark; }
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
      h1 { font-size: 1.6rem; margin-bottom: 0; }
      h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid #8884; }
      table { border-collapse: collapse; }
      th { text-align: left; font-weight: 600; padding: .15rem 1.5rem .15rem 0; vertical-align: top; }
      td { padding: .15rem 0; }
      img { max-width: 100%; background: #fff; border-radius: 4px; }
      img.pixels { image-rendering: pixelated; }
      pre { background: #8882; padding: .8rem; border-radius: 4px; overflow-x: auto; }
      figure { display: inline-block; margin: 0 1rem 1rem 0; }
      figcaption { font-size: .85rem; opacity: .75; }
      """;

  /** The page. */
  String toHtml() throws IOException {
    StringBuilder html = new StringBuilder();
    html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .append("<title>")
        .append(escape(title()))
        .append("</title>\n<style>\n")
        .append(STYLE)
        .append("</style>\n</head>\n<body>\n<h1>")
        .append(escape(title()))
        .append("</h1>\n<p>Step ")
        .append(step)
        .append(" of ")
        .append(training().steps())
        .append(".</p>\n");
    appendSamples(html);
    appendLoss(html);
    appendDistances(html);
    appendFacts(html);
    appendGrids(html);
    appendCommands(html);
    html.append("<h2>Configuration</h2>\n<details>\n<summary>config.json</summary>\n<pre>")
        .append(escape(config.toJson()))
        .append("</pre>\n</details>\n</body>\n</html>\n");
    return html.toString();
  }

  private TrainingConfig training() {
    return config.training().orElseThrow().config();
  }

  private String title() {
    return "DDPM on " + config.data().name();
  }

  private void appendSamples(StringBuilder html) throws IOException {
    // Reading a pipe would wait for somebody to write to it.
    if (Files.isRegularFile(samples)) {
      html.append("<h2>Samples</h2>\n<p>");
      appendImage(html, samples, "Samples of the trained network", "pixels");
      html.append("</p>\n");
    }
    if (Files.isRegularFile(trainingImages)) {
      html.append("<h2>Images that it learns from</h2>\n<p>");
      appendImage(html, trainingImages, "Some of the training images", "pixels");
      html.append("</p>\n");
    }
  }

  private void appendLoss(StringBuilder html) throws IOException {
    if (Files.isRegularFile(lossPicture)) {
      html.append("<h2>Loss</h2>\n<p>");
      appendImage(html, lossPicture, "Loss over the steps of training", "chart");
      html.append("</p>\n");
    }
  }

  private void appendDistances(StringBuilder html) throws IOException {
    if (Files.isRegularFile(distancePicture)) {
      html.append("<h2>Distance from real images</h2>\n<p>");
      appendImage(html, distancePicture, "Fréchet distance over the steps of training", "chart");
      html.append("</p>\n");
    }
  }

  private void appendFacts(StringBuilder html) {
    html.append("<h2>Facts</h2>\n<table>\n");
    fact(html, "Data", config.data().source());
    fact(
        html,
        "Images",
        Text.format(
            "%,d of %s to train on, %,d held out",
            config.data().trainingImages(),
            config.model().shape(),
            config.data().validationImages()));
    fact(html, "Pixel values", PixelScale.describe(config.model().normalization()));
    fact(html, "Network", NetworkWords.describe(config.model().network()));
    fact(html, "Parameters", Text.format("%,d", parameters));
    fact(html, "Schedule", ChainOptions.describe(config.model().schedule()));
    ObjectiveConfig objective = training().objective();
    fact(
        html,
        "Training",
        Text.format(
            "batches of %d, learning rate %s, %s loss %s of %s, seed %d",
            config.training().orElseThrow().batches().batchSize() * (long) training().accumulate(),
            training().optimizer().learningRate(),
            EnumConverter.spelling(objective.terms()),
            EnumConverter.spelling(objective.loss()),
            EnumConverter.spelling(objective.parameterization()),
            training().seed()));
    Augmentation augmentation = config.training().orElseThrow().batches().augmentationOrNone();
    if (!augmentation.isNone()) {
      fact(
          html,
          "Augmentation",
          Text.format(
              "crops of up to %s, colour jitter of up to %s",
              augmentation.crop(), augmentation.colorJitter()));
    }
    if (!history.isEmpty()) {
      LossHistory.Entry last = history.get(history.size() - 1);
      fact(html, "Training loss", Text.format("%.5f", last.loss()));
      if (!Double.isNaN(last.validationLoss())) {
        fact(html, "Held-out loss", Text.format("%.5f", last.validationLoss()));
      }
    }
    appendTime(html);
    fact(html, "ddpm4j", config.version());
    html.append("</table>\n");
  }

  private void appendTime(StringBuilder html) {
    Effort.of(sittings)
        .ifPresent(
            effort -> {
              fact(html, "Time", effort.time());
              fact(html, "Speed", effort.speed());
              fact(html, "Machine", effort.machine());
            });
  }

  private static void fact(StringBuilder html, String name, String value) {
    html.append("<tr><th scope=\"row\">")
        .append(escape(name))
        .append("</th><td>")
        .append(escape(value))
        .append("</td></tr>\n");
  }

  private void appendGrids(StringBuilder html) throws IOException {
    if (grids.isEmpty()) {
      return;
    }
    html.append("<h2>Samples along the way</h2>\n<div>\n");
    int shown = Math.min(MAX_GRIDS, grids.size());
    for (int i = 0; i < shown; i++) {
      // From the first to the last, both included.
      int index = shown == 1 ? grids.size() - 1 : i * (grids.size() - 1) / (shown - 1);
      Path grid = grids.get(index);
      String name = grid.getFileName().toString();
      String atStep = "step " + Long.parseLong(name.replaceAll("\\D", ""));
      html.append("<figure>");
      appendImage(html, grid, "Samples at " + atStep, "pixels");
      html.append("<figcaption>").append(atStep).append("</figcaption></figure>\n");
    }
    html.append("</div>\n");
  }

  private void appendCommands(StringBuilder html) {
    String run = ShellWord.quoted(folder.toString());
    html.append("<h2>Going on</h2>\n<pre>ddpm sample --run ")
        .append(escape(run))
        .append(" --count 64 --seed 7\nddpm sample --run ")
        .append(escape(run))
        .append(" --format gif");
    if (step < training().steps()) {
      html.append("\nddpm train --resume ")
          .append(escape(run))
          .append(KnownDataSet.isWhereTheUserSays(config.data()) ? " --data DIR" : "");
    }
    html.append("</pre>\n");
  }

  private static void appendImage(StringBuilder html, Path file, String description, String kind)
      throws IOException {
    html.append("<img class=\"")
        .append(kind)
        .append("\" alt=\"")
        .append(escape(description))
        .append("\" src=\"data:image/png;base64,")
        .append(Base64.getEncoder().encodeToString(Files.readAllBytes(file)))
        .append("\">");
  }

  private static String escape(String text) {
    return ForeignText.lines(text)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
