package org.ddpm4j.cli;

import java.util.List;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.unet.AnnotatedUnet;

/** The networks whose speed is measured, with the sizes of "The Annotated Diffusion Model". */
enum BenchModel {
  ANNOTATED(AnnotatedUnet.resnet(28, 1, List.of(1, 2, 4), 1)),
  ANNOTATED_CONVNEXT(AnnotatedUnet.convnext(28, 1, List.of(1, 2, 4)));

  /** Of the images. */
  static final ImageShape SHAPE = new ImageShape(1, 28, 28);

  private final AnnotatedUnet config;

  BenchModel(AnnotatedUnet config) {
    this.config = config;
  }

  AnnotatedUnet config() {
    return config;
  }
}
