package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.Locale;
import org.ddpm4j.unet.layers.Frequencies;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How a network is told the timestep (Vaswani et al. 2017, section 3.5). */
final class TimeEmbedding {

  /** Pixels of each frequency. */
  private static final int ROW = 6;

  private TimeEmbedding() {}

  /** The embedding of every timestep, each a column. */
  static void draw(int width, int timesteps, LessonRun run) throws IOException {
    Frequencies frequencies = new Frequencies(width, 1);
    int half = frequencies.count();
    float[][] sines = new float[half * ROW][timesteps];
    float[][] cosines = new float[half * ROW][timesteps];
    for (int y = 0; y < half * ROW; y++) {
      for (int t = 0; t < timesteps; t++) {
        double angle = t * frequencies.get(y / ROW);
        sines[y][t] = (float) Math.sin(angle);
        cosines[y][t] = (float) Math.cos(angle);
      }
    }
    run.picture(
        "embedding.png",
        new ImageTable(1).row("sines", image(sines)).row("cosines", image(cosines)).draw(),
        String.format(
            Locale.ROOT,
            "the embedding of t = 0 to %d, %d sines and as many cosines, from fast to slow",
            timesteps - 1,
            half));
  }

  private static INDArray image(float[][] rows) {
    return Nd4j.createFromArray(rows).reshape(1, 1, rows.length, rows[0].length);
  }
}
