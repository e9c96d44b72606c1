package org.ddpm4j.cli.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.OptionGroup;
import org.ddpm4j.cli.options.TrainingData;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.lucidrains.LucidrainsCheckpoint;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.objective.Distillation;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.run.TrainedWeights;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.Option;

/** Whether a consistency model is distilled from a trained one, and how. */
@OptionGroup("What is learned")
final class DistillationOptions {

  /** Where a run keeps its teacher, which is needed when it is resumed. */
  static final String TEACHER = "teacher";

  @Option(
      names = "--distill",
      paramLabel = "MODEL",
      description =
          "Distil a consistency model, which draws in one or two steps, from the network of a run, of"
              + " a diffusers pipeline (a folder, or OWNER/NAME[@REVISION] of the hub) or of a checkpoint"
              + " of lucidrains' trainer (model-N.pt), or from the one that comes along ("
              + NamedModel.BUNDLED
              + "), with which it begins.")
  private Path teacher;

  @HasEffect(with = "--distill")
  @Option(
      names = "--distill-solver",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.DISTILL_SOLVER,
      description =
          "With --distill: how a step of the teacher is made, ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private Distillation.Solver solver;

  @HasEffect(with = "--distill")
  @Option(
      names = "--target-decay",
      paramLabel = "X",
      defaultValue = "" + Distillation.DEFAULT_TARGET_DECAY,
      description =
          "With --distill: decay of the moving average that the network is to agree with, in [0,1)"
              + " (default: ${DEFAULT-VALUE}).")
  private double targetDecay;

  /** The teacher's place, where there is one. */
  Optional<Path> place() {
    return Optional.ofNullable(teacher);
  }

  /** How to distil, if that is wanted. */
  Optional<Distillation> config() {
    return place()
        .map(given -> BadInputException.check(() -> new Distillation(solver, targetDecay)));
  }

  /**
   * Reads a teacher.
   *
   * @param model that {@link #place} names
   * @param execution how it computes
   * @param shape of the images, which no checkpoint of lucidrains' trainer says
   * @return the teacher, the caller's to close
   */
  static DiffusionModel read(NamedModel model, Execution execution, ImageShape shape)
      throws IOException {
    Path teacher = model.place();
    if (LucidrainsCheckpoint.isFile(teacher)) {
      LucidrainsCheckpoint checkpoint =
          LucidrainsCheckpoint.read(teacher, Optional.empty(), DataType.FLOAT, execution);
      return BadInputException.check(() -> DiffusionModel.of(checkpoint, shape));
    }
    if (model.isBundled()) {
      return DiffusionModel.bundled(execution);
    }
    if (PipelineFolder.isPipeline(teacher)) {
      return DiffusionModel.ofPipeline(teacher, model.variant(), execution);
    }
    if (StartingNetwork.holdsWeights(teacher)) {
      throw new BadInputException(
          "%s is a network whose noise schedule is not known, from which nothing can be distilled: name the folder of a run or of a diffusers pipeline (with model_index.json), or %s.",
          model.name(), NamedModel.BUNDLED);
    }
    return readRun(teacher, execution);
  }

  /** That of a run that is gone on with. */
  static DiffusionModel readRun(Path folder, Execution execution) throws IOException {
    return DiffusionModel.ofRun(
        RunFolder.open(folder), TrainedWeights.EMA, Optional.empty(), execution);
  }

  /** Refuses a teacher that knows other classes than the images, or would not be told them. */
  static void requireFit(DiffusionModel model, TrainingData data, boolean isClassConditional) {
    // A run keeps its teacher, which takes a schedule that has a name.
    BadInputException.check(model::description);
    if (model.isClassConditional() != isClassConditional) {
      throw new BadInputException(
          "The teacher %s told classes; %s --class-conditional.",
          isClassConditional ? "was not" : "was", isClassConditional ? "leave out" : "give");
    }
    if (!isClassConditional) {
      return;
    }
    boolean isSame =
        model.classNames().equals(data.images().classNames())
            && model.unet().config().classEmbeddings() == NetworkOptions.classEmbeddings(data);
    if (!isSame) {
      throw new BadInputException(
          "The teacher was told the classes %s and the images are of the classes %s; distil from a network of the same classes and a null class.",
          model.classNames(), data.images().classNames());
    }
  }
}
