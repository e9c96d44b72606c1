package org.ddpm4j.cli.report;

import java.awt.image.BufferedImage;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.training.LossHistory;
import org.ddpm4j.diffusion.training.SampleGridListener;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.plots.LossChart;
import org.ddpm4j.plots.PlotFont;
import org.ddpm4j.plots.Series;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a run leaves for people to look at: loss.csv, time.csv, loss.png, samples/step-….png,
 * samples.png, training-images.png, distances.csv and distances.png where they were measured, and
 * report.html.
 *
 * @param folder of the run
 * @param config of the run
 */
public record RunFiles(RunFolder folder, RunConfig config) {

  /** What each sitting took. */
  static final String TIME_TABLE = "time.csv";

  private static final int SAMPLES_SCALE = 3;

  /**
   * The page that shows everything else.
   *
   * @return report.html
   */
  public Path report() {
    return folder.path().resolve("report.html");
  }

  /**
   * How far samples were from real images as training went.
   *
   * @return distances.csv and distances.png
   */
  public DistanceTable distances() {
    return new DistanceTable(folder.path());
  }

  private Path lossTable() {
    return folder.path().resolve("loss.csv");
  }

  private Path lossPicture() {
    return folder.path().resolve("loss.png");
  }

  private Path timeTable() {
    return folder.path().resolve(TIME_TABLE);
  }

  private Path samples() {
    return folder.path().resolve("samples.png");
  }

  /**
   * What the network is to learn.
   *
   * @return training-images.png
   */
  public Path trainingImages() {
    return folder.path().resolve("training-images.png");
  }

  /**
   * Writes a small grid of samples as they are after a step.
   *
   * @param images samples, {@code [N,C,H,W]}
   * @param step after which they were drawn
   * @throws IOException if the file cannot be written
   */
  public void writeGrid(INDArray images, long step) throws IOException {
    SampleGridListener.write(images, config.model().normalization(), folder.samples(), step);
  }

  /**
   * Whether the grid of a step has been drawn.
   *
   * @param step of the training
   * @return true if its file is there
   */
  public boolean hasGrid(long step) {
    return Files.exists(SampleGridListener.file(folder.samples(), step));
  }

  /**
   * Writes the grid of samples at the end of training.
   *
   * @param images samples, {@code [N,C,H,W]}
   * @throws IOException if the file cannot be written
   */
  public void writeSamples(INDArray images) throws IOException {
    Images.writePng(
        Images.grid(
            images,
            Images.squareColumns((int) images.size(0)),
            SAMPLES_SCALE,
            config.model().normalization()),
        samples());
  }

  /**
   * Writes a row of the images that are trained on, unless there is one already.
   *
   * @param images normalised as the network sees them, {@code [N,C,H,W]}
   * @throws IOException if the file cannot be written
   */
  public void writeTrainingImages(INDArray images) throws IOException {
    if (!Files.exists(trainingImages())) {
      Images.writePng(
          Images.grid(images, (int) images.size(0), SAMPLES_SCALE, config.model().normalization()),
          trainingImages());
    }
  }

  /**
   * Writes the losses anew.
   *
   * @param history of the training
   * @throws IOException if the file cannot be written
   */
  public void writeLosses(LossHistory history) throws IOException {
    // Line by line: of a training of months, the whole table would be hundreds of megabytes.
    AtomicFile.write(
        lossTable(),
        out -> {
          Writer table = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
          table.write("step,loss,validation_loss,learning_rate,gradient_norm\n");
          for (LossHistory.Entry entry : history.entries()) {
            table.write(
                entry.step()
                    + ","
                    + entry.loss()
                    + ","
                    + entry.validationLoss()
                    + ","
                    + entry.learningRate()
                    + ","
                    + entry.gradientNorm()
                    + "\n");
          }
          table.flush();
        });
  }

  /**
   * Writes the losses anew, and the report with all pictures that there are; without a chart where
   * none can be drawn.
   *
   * @param trainer of the run
   * @param sitting how long it has been training, and on what
   * @throws IOException if a file cannot be written
   */
  public void update(Trainer trainer, Sitting sitting) throws IOException {
    List<LossHistory.Entry> history = trainer.history().entries();
    writeLosses(trainer.history());
    List<Sitting> sittings = Sitting.all(timeTable(), sitting);
    AtomicFile.writeString(timeTable(), Sitting.toCsv(sittings));
    if (!history.isEmpty() && PlotFont.obstacle().isEmpty()) {
      Images.writePng(lossChart(history), lossPicture());
    }
    AtomicFile.writeString(
        report(),
        new ReportPage(
                folder.path(),
                config,
                trainer.step(),
                trainer.unet().parameters().count(),
                history,
                grids(),
                lossPicture(),
                samples(),
                trainingImages(),
                sittings,
                distances().picture())
            .toHtml());
  }

  private static BufferedImage lossChart(List<LossHistory.Entry> history) {
    List<Series> losses = new ArrayList<>();
    losses.add(losses("training loss", history, LossHistory.Entry::loss));
    // NaN stands for no images held out.
    List<LossHistory.Entry> validated =
        history.stream().filter(entry -> !Double.isNaN(entry.validationLoss())).toList();
    if (!validated.isEmpty()) {
      losses.add(losses("held-out loss", validated, LossHistory.Entry::validationLoss));
    }
    return LossChart.of(losses).draw();
  }

  private static Series losses(
      String name, List<LossHistory.Entry> history, ToDoubleFunction<LossHistory.Entry> loss) {
    return Series.of(
        name,
        history.stream().mapToDouble(LossHistory.Entry::step).toArray(),
        history.stream().mapToDouble(loss).toArray());
  }

  private List<Path> grids() throws IOException {
    if (!Files.isDirectory(folder.samples())) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder.samples())) {
      return files
          .filter(file -> file.getFileName().toString().matches("step-\\d+\\.png"))
          .filter(file -> Files.isRegularFile(file))
          .sorted()
          .toList();
    }
  }
}
