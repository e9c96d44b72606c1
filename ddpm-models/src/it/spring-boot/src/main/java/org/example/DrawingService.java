package org.example;

import java.io.IOException;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Draws clothes: GET /draw?count=4&seed=7. */
@SpringBootApplication
public class DrawingService {

  public static void main(String[] args) {
    SpringApplication.run(DrawingService.class, args);
  }

  /** One model for all requests, which Spring closes when the service ends. */
  @Bean
  DiffusionModel model() throws IOException {
    return DiffusionModel.bundled();
  }
}
