package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.ddpm4j.diffusion.bound.BoundEvaluation;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.bound.StratifiedTimesteps;
import org.ddpm4j.diffusion.bound.VariationalBound;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.studio.drawing.ModelShelf;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * How large a model's error is at each timestep, for an image: the loss, and the term of the
 * variational bound that it makes. One is measured at a time.
 */
final class LossPerTimestep {

  static final int MOST_TIMESTEPS = 100;

  private static final int DEFAULT_TIMESTEPS = 32;

  /** Noises of each timestep, over which is averaged. */
  private static final int NOISES = 8;

  private static final Set<String> FIELDS = Set.of("model", "image", "class", "timesteps", "seed");

  private final Models models;
  private final Duration timeout;
  private final Semaphore one = new Semaphore(1);

  LossPerTimestep(Models models, Duration timeout) {
    this.models = models;
    this.timeout = timeout;
  }

  /**
   * Measures no further loss, and waits for the one that is being measured.
   *
   * @param patience how long at most
   */
  void drain(Duration patience) {
    try {
      // Kept, so that it is nobody's turn any more.
      one.tryAcquire(Math.max(0, patience.toNanos()), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Measures for a client, as long as it is there. */
  ObjectNode measure(Exchange exchange, JsonNode body) throws IOException {
    JsonFields fields = new JsonFields(body).requireKnown(FIELDS);
    int wanted = (int) fields.wholeNumber("timesteps", DEFAULT_TIMESTEPS, 2, MOST_TIMESTEPS);
    long seed = fields.wholeNumber("seed", 0, Long.MIN_VALUE, Long.MAX_VALUE);
    if (!one.tryAcquire()) {
      throw new Refusal(
          429, "Another loss is being measured; come again.", Map.of("Retry-After", "1"));
    }
    try (ModelShelf.Lease lease = models.lease(models.find(fields.text("model", 300)))) {
      DiffusionModel model = lease.model();
      int timesteps = model.schedule().timesteps();
      StratifiedTimesteps where =
          StratifiedTimesteps.draw(timesteps, Math.min(wanted, timesteps), seed);
      Images.requirePictures(model.shape().channels());
      INDArray image = UploadedImages.image(fields, "image", model);
      int[] labels = new int[NOISES];
      Arrays.fill(labels, DrawingRequests.labelOf(fields, model));
      long deadline = System.nanoTime() + timeout.toNanos();
      return toJson(
          bound(model)
              .evaluate(
                  model.denoiser().withClasses(labels),
                  Nd4j.tile(image, NOISES, 1, 1, 1),
                  NoiseSource.seeded(seed, 0),
                  where,
                  done -> requireTime(exchange, deadline)));
    } catch (IllegalArgumentException e) {
      throw new Refusal(422, e.getMessage());
    } finally {
      one.release();
    }
  }

  private static VariationalBound bound(DiffusionModel model) {
    return new VariationalBound(
        model.schedule(),
        model.unet().config().learnsVariance()
            ? ReverseVariance.LEARNED
            : ReverseVariance.POSTERIOR,
        X0Constraint.clip(model.normalization()),
        DiscretizedGaussian.of(model.normalization()));
  }

  private void requireTime(Exchange exchange, long deadline) {
    if (exchange.response().closed()) {
      throw new Refusal(503, "The client has gone.");
    }
    if (System.nanoTime() - deadline > 0) {
      throw new Refusal(
          504,
          "The loss was not measured within %d s; ask for fewer timesteps.",
          timeout.toSeconds());
    }
  }

  private static ObjectNode toJson(BoundEvaluation evaluation) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ArrayNode t = json.putArray("t");
    ArrayNode noise = json.putArray("eps_mse");
    ArrayNode image = json.putArray("x0_mse");
    ArrayNode bits = json.putArray("bits_per_dim");
    List<StratifiedTimesteps.Stratum> strata = evaluation.timesteps().strata();
    for (int s = 0; s < strata.size(); s++) {
      t.add(strata.get(s).timestep());
      noise.add(BoundEvaluation.average(evaluation.epsSquaredError(), s).mean());
      image.add(BoundEvaluation.average(evaluation.x0SquaredError(), s).mean());
      bits.add(BoundEvaluation.average(evaluation.terms(), s).mean());
    }
    json.put("total_bits_per_dim", BoundEvaluation.Average.of(evaluation.total()).mean());
    return json;
  }
}
