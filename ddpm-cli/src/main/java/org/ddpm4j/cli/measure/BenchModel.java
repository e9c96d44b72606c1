package org.ddpm4j.cli.measure;

import java.util.List;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;

/** The networks whose speed is measured. */
enum BenchModel {
  /** With the sizes of "The Annotated Diffusion Model". */
  ANNOTATED(AnnotatedUnet.resnet(28, 1, List.of(1, 2, 4), 1), new ImageShape(1, 28, 28)),
  ANNOTATED_CONVNEXT(AnnotatedUnet.convnext(28, 1, List.of(1, 2, 4)), new ImageShape(1, 28, 28)),
  /** Of google/ddpm-cifar10-32. */
  CIFAR10(Unet2D.cifar10(), new ImageShape(3, 32, 32));

  private final UnetConfig config;
  private final ImageShape shape;

  BenchModel(UnetConfig config, ImageShape shape) {
    this.config = config;
    this.shape = shape;
  }

  UnetConfig config() {
    return config;
  }

  /** Of the images. */
  ImageShape shape() {
    return shape;
  }
}
