package org.example;

import java.util.concurrent.Semaphore;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Any number of threads may draw with one model; more than a few at once only wait together. */
@RestController
class DrawingController {

  private static final int MOST_IMAGES = 64;
  private static final int STEPS = 10;
  private static final long MOST_SECONDS = 30;

  private final DiffusionModel model;
  private final Semaphore places = new Semaphore(2);

  DrawingController(DiffusionModel model) {
    this.model = model;
  }

  @GetMapping("/draw")
  ResponseEntity<byte[]> draw(
      @RequestParam(name = "count", defaultValue = "1") int count,
      @RequestParam(name = "seed", defaultValue = "0") long seed) {
    if (count < 1 || count > MOST_IMAGES) {
      return ResponseEntity.badRequest().build();
    }
    if (!places.tryAcquire()) {
      return ResponseEntity.status(503).header("Retry-After", "1").build();
    }
    long deadline = System.nanoTime() + MOST_SECONDS * 1_000_000_000;
    try (INDArray images =
        model
            .pipeline(SamplerType.UNIPC, STEPS)
            .sample(
                count,
                seed,
                SamplingOptions.defaults()
                    .withCancellation(() -> System.nanoTime() - deadline > 0))) {
      return ResponseEntity.ok()
          .contentType(MediaType.IMAGE_PNG)
          .body(
              Images.png(
                  Images.grid(images, Images.squareColumns(count), 1, model.normalization())));
    } finally {
      places.release();
    }
  }
}
