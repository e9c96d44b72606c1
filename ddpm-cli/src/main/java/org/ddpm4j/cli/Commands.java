package org.ddpm4j.cli;

import java.util.List;
import java.util.Set;
import org.ddpm4j.cli.draw.SampleCommand;
import org.ddpm4j.cli.edit.ImageToImageCommand;
import org.ddpm4j.cli.edit.InpaintCommand;
import org.ddpm4j.cli.edit.InterpolateCommand;
import org.ddpm4j.cli.edit.InvertCommand;
import org.ddpm4j.cli.exchange.ConvertCommand;
import org.ddpm4j.cli.exchange.PredictCommand;
import org.ddpm4j.cli.look.DataCommand;
import org.ddpm4j.cli.look.InfoCommand;
import org.ddpm4j.cli.look.LessonCommand;
import org.ddpm4j.cli.look.SchedulesCommand;
import org.ddpm4j.cli.measure.BenchCommand;
import org.ddpm4j.cli.measure.DistancesCommand;
import org.ddpm4j.cli.measure.EvaluateCommand;
import org.ddpm4j.cli.measure.NearestCommand;
import org.ddpm4j.cli.measure.SamplersCommand;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.serve.ServeCommand;
import org.ddpm4j.cli.serve.StudioCommand;
import org.ddpm4j.cli.spark.SparkCommand;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.train.TrainCommand;
import picocli.CommandLine;

/** The commands of the program by name, each of which is made when it is needed. */
final class Commands {

  /** All of them, in the order of the help. */
  static final List<String> ALL =
      List.of(
          "train",
          "sample",
          "inpaint",
          "image-to-image",
          "interpolate",
          "invert",
          "evaluate",
          "distances",
          "nearest",
          "samplers",
          "schedules",
          "predict",
          "convert",
          "info",
          "lesson",
          "data",
          "bench",
          "spark",
          "studio",
          "serve",
          "completion",
          "help");

  /** Those that tell of all commands. */
  private static final Set<String> OF_ALL = Set.of("completion", "help");

  private Commands() {}

  /**
   * Those that a command line takes. Picocli looks through the classes of a command's options when
   * it is made; for all commands that takes longer than anything else at the start.
   *
   * @param args the command line
   * @return the one that it names at its beginning; all of them where it begins otherwise, or where
   *     that one is about the others
   */
  static List<String> of(String... args) {
    boolean isOne = args.length > 0 && ALL.contains(args[0]) && !OF_ALL.contains(args[0]);
    return isOne ? List.of(args[0]) : ALL;
  }

  /**
   * Makes a command.
   *
   * @param name one of {@link #ALL}
   * @param console where it writes
   * @return its command line
   */
  static CommandLine commandLine(String name, Console console) {
    Object command =
        switch (name) {
          case "train" -> new TrainCommand(console);
          case "sample" -> new SampleCommand(console);
          case "inpaint" -> new InpaintCommand(console);
          case "image-to-image" -> new ImageToImageCommand(console);
          case "interpolate" -> new InterpolateCommand(console);
          case "invert" -> new InvertCommand(console);
          case "evaluate" -> new EvaluateCommand(console);
          case "distances" -> new DistancesCommand(console);
          case "nearest" -> new NearestCommand(console);
          case "samplers" -> new SamplersCommand(console);
          case "schedules" -> new SchedulesCommand(console);
          case "predict" -> new PredictCommand(console);
          case "convert" -> new ConvertCommand(console);
          case "info" -> new InfoCommand(console);
          case "lesson" -> new LessonCommand(console);
          case "data" -> new DataCommand(console);
          case "bench" -> new BenchCommand(console);
          case "spark" -> new SparkCommand(console);
          case "studio" -> new StudioCommand(console);
          case "serve" -> new ServeCommand(console);
          case "completion" -> new CompletionCommand(console);
          case "help" -> new CommandLine.HelpCommand();
          default -> throw new IllegalArgumentException("There is no command " + name + ".");
        };
    return EnumConverter.commandLine(command);
  }
}
