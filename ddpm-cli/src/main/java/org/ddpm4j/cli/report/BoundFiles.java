package org.ddpm4j.cli.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.ddpm4j.diffusion.bound.BoundEvaluation;
import org.ddpm4j.diffusion.bound.StratifiedTimesteps.Stratum;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;

/**
 * What an evaluation leaves for people to look at: bound.csv, bound-images.csv and bound.png.
 *
 * @param folder where they lie
 */
public record BoundFiles(Path folder) {

  /**
   * A line for each evaluated timestep.
   *
   * @return bound.csv
   */
  public Path timesteps() {
    return folder.resolve("bound.csv");
  }

  /**
   * A line for each image.
   *
   * @return bound-images.csv
   */
  public Path images() {
    return folder.resolve("bound-images.csv");
  }

  /**
   * The terms of the bound as a chart.
   *
   * @return bound.png
   */
  public Path picture() {
    return folder.resolve("bound.png");
  }

  /**
   * Writes all three.
   *
   * @param evaluation of images
   * @throws IOException if a file cannot be written
   */
  public void write(BoundEvaluation evaluation) throws IOException {
    Folders.create(folder);
    AtomicFile.writeString(timesteps(), timestepTable(evaluation));
    AtomicFile.writeString(images(), imageTable(evaluation));
    Images.writePng(BoundChart.draw(evaluation), picture());
  }

  private static String timestepTable(BoundEvaluation evaluation) {
    StringBuilder table =
        new StringBuilder("t,timesteps,bits_per_dim,standard_error,eps_mse,x0_mse\n");
    List<Stratum> strata = evaluation.timesteps().strata();
    for (int s = 0; s < strata.size(); s++) {
      BoundEvaluation.Average term = BoundEvaluation.average(evaluation.terms(), s);
      addLine(
          table,
          strata.get(s).timestep(),
          strata.get(s).size(),
          term.mean(),
          term.standardError(),
          BoundEvaluation.average(evaluation.epsSquaredError(), s).mean(),
          BoundEvaluation.average(evaluation.x0SquaredError(), s).mean());
    }
    return table.toString();
  }

  private static String imageTable(BoundEvaluation evaluation) {
    StringBuilder table = new StringBuilder("image,prior,transitions,decoder,total\n");
    double[] prior = evaluation.prior().toDoubleVector();
    double[] transitions = evaluation.transitionTerms();
    double[] decoder = evaluation.decoderTerm();
    double[] total = evaluation.total();
    for (int n = 0; n < total.length; n++) {
      addLine(table, n, prior[n], transitions[n], decoder[n], total[n]);
    }
    return table.toString();
  }

  private static void addLine(StringBuilder table, Object... values) {
    for (int i = 0; i < values.length; i++) {
      table.append(i == 0 ? "" : ",").append(values[i]);
    }
    table.append('\n');
  }

  /**
   * The parts of the bound and their sum in bits/dim, for the terminal.
   *
   * @param evaluation of images
   * @return four lines
   */
  public static String summary(BoundEvaluation evaluation) {
    int last = evaluation.timesteps().timesteps() - 1;
    return line("L_T", evaluation.prior().toDoubleVector())
        + line("L_1 to L_" + last, evaluation.transitionTerms())
        + line("L_0", evaluation.decoderTerm())
        + line("total", evaluation.total());
  }

  private static String line(String name, double[] perImage) {
    BoundEvaluation.Average average = BoundEvaluation.Average.of(perImage);
    String spread =
        perImage.length == 1 ? "" : Text.format(" \u00b1 %.5f", average.standardError());
    return Text.format("%-12s %9.5f%s%n", name, average.mean(), spread);
  }
}
