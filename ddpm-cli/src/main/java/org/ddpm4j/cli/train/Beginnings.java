package org.ddpm4j.cli.train;

import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.model.DiffusionModel;

/**
 * The trained networks that a training takes, whoever gives them closes them.
 *
 * @param start with whose weights a new run begins, if it does not with random ones
 * @param teacher from which a consistency model is distilled
 */
record Beginnings(Optional<StartingNetwork> start, Optional<DiffusionModel> teacher) {

  Beginnings {
    Objects.requireNonNull(start, "start");
    Objects.requireNonNull(teacher, "teacher");
  }
}
