package org.ddpm4j.cli.look;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.ChainOptions;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.Outputs;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.IoConsumer;
import org.ddpm4j.io.Text;
import org.ddpm4j.plots.ScheduleCharts;
import org.ddpm4j.schedules.DataRange;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleConstant;
import org.ddpm4j.schedules.ScheduleDoctor;
import org.ddpm4j.schedules.ScheduleReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints or draws the constants of a noise schedule, or what is wrong with it. */
@Command(
    name = "schedules",
    description = "Print the constants of a noise schedule, plot them, or have them examined.",
    footer = {
      "",
      "JSON and CSV have every constant at every timestep t = 0..T-1 in double precision;",
      "the PNG shows betas, alphas_cumprod and the signal-to-noise ratio. With --doctor, text or",
      "JSON say what the schedule leaves of the data and what to change."
    })
@Introduction(example = "ddpm schedules --type cosine --format png")
public final class SchedulesCommand implements Callable<Integer> {

  private static final String DEFAULT_DATA_MAX = "1";

  enum Format {
    JSON,
    CSV,
    PNG,
    TEXT
  }

  private static final Path DEFAULT_PICTURE = Path.of("schedule.png");

  private final Console console;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = Defaults.SCHEDULE,
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private ScheduleType type;

  @Mixin private ChainOptions chain;

  @Option(
      names = "--doctor",
      description = "Examine the schedule: signal left at the end, pure noise, clips, float32.")
  private boolean isDoctor;

  @HasEffect(with = "--doctor")
  @Option(
      names = "--data-max",
      paramLabel = "X",
      defaultValue = DEFAULT_DATA_MAX,
      description = "With --doctor: the largest |x| of the data (default: ${DEFAULT-VALUE}).")
  private double dataMax;

  @HasEffect(with = "--doctor")
  @Option(
      names = "--data-rms",
      paramLabel = "X",
      description =
          "With --doctor: the root mean square of the data (default: that of --data-max, the most"
              + " that is possible).")
  private Double dataRms;

  @HasEffect(with = "--doctor", because = "while --format png draws the constants")
  @Option(
      names = "--plot",
      paramLabel = "FILE",
      description = "With --doctor: also draw what it is about into this PNG.")
  private Path plot;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description =
          "${COMPLETION-CANDIDATES} (default: json; with --doctor, which has text and json: text).")
  private Format format;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "Where to write (default: standard output; schedule.png for png).")
  private Path output;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public SchedulesCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    ScheduleConfig config = chain.config(type);
    if (output != null && format == Format.PNG) {
      Outputs.requireKind("--output", output, Outputs.PNG);
    }
    if (plot != null) {
      Outputs.requireKind("--plot", plot, Outputs.PNG);
    }
    for (Path file : new Path[] {output, plot}) {
      if (file != null) {
        AtomicFile.requireWritable(file);
      }
    }
    if (isDoctor) {
      examine(config);
    } else {
      print(config);
    }
    return 0;
  }

  private void print(ScheduleConfig config) throws IOException {
    NoiseSchedule schedule = config.create();
    switch (Objects.requireNonNullElse(format, Format.JSON)) {
      case JSON -> write(stream -> writeJson(schedule, stream));
      case CSV -> write(stream -> writeCsv(schedule, stream));
      case PNG -> {
        Path file = Objects.requireNonNullElse(output, DEFAULT_PICTURE);
        Images.writePng(ScheduleCharts.overview(schedule, ChainOptions.describe(config)), file);
        console.printLine(file.toString());
      }
      case TEXT ->
          throw new BadInputException(
              "Constants are written as json, csv or png; text is for --doctor.");
    }
  }

  private void examine(ScheduleConfig config) throws IOException {
    Format chosen = Objects.requireNonNullElse(format, Format.TEXT);
    if (chosen != Format.TEXT && chosen != Format.JSON) {
      throw new BadInputException(
          "--doctor writes text or json, not %s; its picture goes to --plot FILE.",
          EnumConverter.spelling(chosen));
    }
    if (dataRms != null && !(dataRms > 0 && dataRms * dataRms > 0)) {
      throw new BadInputException("--data-rms is %s; it must be above 0.", dataRms);
    }
    DataRange data =
        BadInputException.check(
            () ->
                dataRms == null
                    ? DataRange.ofLargest(dataMax)
                    : new DataRange(dataMax, dataRms * dataRms));
    ScheduleReport report = ScheduleDoctor.examine(config.betas(), config.timesteps(), data);
    if (plot != null) {
      Images.writePng(ScheduleCharts.report(report, ChainOptions.describe(config)), plot);
    }
    if (chosen == Format.JSON) {
      write(stream -> ScheduleReportJson.write(config, report, stream));
    } else {
      StringBuilder text = new StringBuilder();
      text.append(Text.format("%-14s%s\n", "schedule", ChainOptions.describe(config)));
      report.lines().forEach(line -> text.append(line).append('\n'));
      byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
      write(stream -> stream.write(bytes));
    }
  }

  private void write(IoConsumer<? super OutputStream> table) throws IOException {
    if (output == null) {
      console.print(table);
    } else {
      AtomicFile.write(output, table);
      console.printLine(output.toString());
    }
  }

  private static void writeJson(NoiseSchedule schedule, OutputStream stream) throws IOException {
    try (JsonGenerator json =
        JsonFactory.builder()
            .build()
            .createGenerator(stream)
            .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)) {
      json.writeStartObject();
      for (ScheduleConstant constant : ScheduleConstant.values()) {
        json.writeFieldName(constant.fieldName());
        double[] values = schedule.values(constant);
        json.writeArray(values, 0, values.length);
      }
      json.writeEndObject();
      json.writeRaw('\n');
    }
  }

  private static void writeCsv(NoiseSchedule schedule, OutputStream stream) throws IOException {
    StringBuilder line = new StringBuilder("t");
    for (ScheduleConstant constant : ScheduleConstant.values()) {
      line.append(',').append(constant.fieldName());
    }
    writeLine(line, stream);
    for (int t = 0; t < schedule.timesteps(); t++) {
      line.append(t);
      for (ScheduleConstant constant : ScheduleConstant.values()) {
        line.append(',').append(schedule.get(constant, t));
      }
      writeLine(line, stream);
    }
  }

  private static void writeLine(StringBuilder line, OutputStream stream) throws IOException {
    stream.write(line.append('\n').toString().getBytes(StandardCharsets.US_ASCII));
    line.setLength(0);
  }
}
