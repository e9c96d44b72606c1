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
    return switch (name) {
      case "train" -> EnumConverter.commandLine(new TrainCommand(console));
      case "sample" -> EnumConverter.commandLine(new SampleCommand(console));
      case "inpaint" -> EnumConverter.commandLine(new InpaintCommand(console));
      case "image-to-image" -> EnumConverter.commandLine(new ImageToImageCommand(console));
      case "interpolate" -> EnumConverter.commandLine(new InterpolateCommand(console));
      case "invert" -> EnumConverter.commandLine(new InvertCommand(console));
      case "evaluate" -> EnumConverter.commandLine(new EvaluateCommand(console));
      case "distances" -> EnumConverter.commandLine(new DistancesCommand(console));
      case "nearest" -> EnumConverter.commandLine(new NearestCommand(console));
      case "samplers" -> EnumConverter.commandLine(new SamplersCommand(console));
      case "schedules" -> EnumConverter.commandLine(new SchedulesCommand(console));
      case "predict" -> EnumConverter.commandLine(new PredictCommand(console));
      case "convert" -> EnumConverter.commandLine(new ConvertCommand(console));
      case "info" -> EnumConverter.commandLine(new InfoCommand(console));
      case "lesson" -> EnumConverter.commandLine(new LessonCommand(console));
      case "data" -> EnumConverter.commandLine(new DataCommand(console));
      case "bench" -> EnumConverter.commandLine(new BenchCommand(console));
      case "spark" -> EnumConverter.commandLine(new SparkCommand(console));
      case "studio" -> EnumConverter.commandLine(new StudioCommand(console));
      case "serve" -> EnumConverter.commandLine(new ServeCommand(console));
      case "completion" -> EnumConverter.commandLine(new CompletionCommand(console));
      case "help" -> new CommandLine(new CommandLine.HelpCommand());
      default -> throw new IllegalArgumentException("There is no command " + name + ".");
    };
  }
}
