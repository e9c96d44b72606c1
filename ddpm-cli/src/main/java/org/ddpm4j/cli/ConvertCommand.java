package org.ddpm4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Makes the folder of one program of that of another. */
@Command(
    name = "convert",
    description = "Make a diffusers pipeline of a run, or a run of a diffusers pipeline.",
    footer = {
      "",
      "A run's moving average goes to diffusers, with --sampler and its options as the scheduler;",
      "only networks that were trained with --network unet2d can go there. A pipeline becomes the",
      "folder of a run that sample, evaluate and info work on, and that cannot be resumed."
    })
final class ConvertCommand implements Callable<Integer> {

  /** What is made. */
  enum Target {
    /** The folder of a diffusers pipeline. */
    DIFFUSERS,
    /** The folder of a run, without checkpoints. */
    RUN
  }

  private final Console console;

  @Spec private CommandSpec spec;

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Source source;

  private static final class Source {
    @Option(
        names = "--run",
        paramLabel = "DIR",
        description = "Folder that train made, for --to diffusers.")
    private Path run;

    @Option(
        names = "--model",
        paramLabel = "DIR",
        description = "Folder of a diffusers pipeline, for --to run.")
    private Path model;
  }

  @Option(
      names = "--to",
      paramLabel = "FORMAT",
      required = true,
      converter = Names.Conversions.class,
      completionCandidates = Names.Conversions.class,
      description = "What to make: ${COMPLETION-CANDIDATES}.")
  private Target target;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      required = true,
      description = "Folder to make; never one that holds files.")
  private Path output;

  @Mixin private WeightsOptions weights;

  @Option(
      names = "--size",
      paramLabel = "HxW",
      converter = SizeConverter.class,
      description =
          "With --to run: height and width of the images (default: the sample_size of the"
              + " network).")
  private Size size;

  @Option(
      names = "--dataset",
      paramLabel = "NAME",
      converter = Names.Data.class,
      completionCandidates = Names.Data.class,
      description =
          "With --to run: what the network was trained on, which evaluate asks for:"
              + " ${COMPLETION-CANDIDATES} (default: not known).")
  private KnownDataSet dataSet;

  @Mixin private SamplerTypeOptions sampler;

  ConvertCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    switch (target) {
      case DIFFUSERS -> toDiffusers();
      case RUN -> toRun();
    }
    console.printLine(output.toString());
    return 0;
  }

  private void toDiffusers() throws IOException {
    requireSource(source.run, "--run");
    refuse("--size", "since the run says it");
    refuse("--dataset", "which has no place for it");
    TrainedRun run = weights.read(source.run, Execution.automatic());
    try (Unet unet = run.unet()) {
      DiffusersPipeline pipeline =
          BadInputException.check(
              () -> DiffusersPipeline.of(run.config(), unet, sampler.forDiffusers(unet.config())));
      PipelineFolder.write(output, pipeline);
      pipeline.unet().close();
    }
  }

  private void toRun() throws IOException {
    requireSource(source.model, "--model");
    for (OptionSpec option : spec.mixins().get("sampler").options()) {
      refuse(option.longestName(), "which leaves to sample how images are drawn");
    }
    refuse("--weights", "since a pipeline has only one set");
    refuse("--checkpoint", "since a pipeline has none");
    DiffusersPipeline pipeline =
        PipelineFolder.read(source.model, DataType.FLOAT, Execution.automatic());
    try (Unet unet = pipeline.unet()) {
      ImageShape shape = shape(pipeline);
      String version = Version.current();
      RunConfig config =
          BadInputException.check(
              () ->
                  pipeline.toRunConfig(
                      version,
                      DataDescription.unseen(
                          dataSet == null ? DataDescription.UNKNOWN : Names.of(dataSet),
                          "trained elsewhere, a diffusers pipeline",
                          shape,
                          pipeline.classNames())));
      RunFolder.create(output, config, unet);
    }
  }

  private ImageShape shape(DiffusersPipeline pipeline) {
    if (size == null) {
      return pipeline
          .shape()
          .orElseThrow(
              () ->
                  new ParameterException(
                      spec.commandLine(),
                      "Missing option '--size=HxW', which '--to run' needs where %s has no sample_size"
                          .formatted(UnetFolder.CONFIG)));
    }
    return BadInputException.check(
        () -> new ImageShape(pipeline.unet().config().inChannels(), size.height(), size.width()));
  }

  private void requireSource(Path path, String option) {
    if (path == null) {
      throw new ParameterException(
          spec.commandLine(),
          "Missing option '%s=DIR', which '--to %s' converts".formatted(option, Names.of(target)));
    }
  }

  private void refuse(String option, String why) {
    if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
      throw new ParameterException(
          spec.commandLine(),
          "The option '%s' does not go with '--to %s', %s"
              .formatted(option, Names.of(target), why));
    }
  }
}
