package org.ddpm4j.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.run.ScheduleConfig;
import org.ddpm4j.diffusion.run.ScheduleType;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleConstant;
import org.ddpm4j.unet.io.AtomicFile;
import org.ddpm4j.unet.io.IoConsumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints or draws the constants of a noise schedule. */
@Command(
    name = "schedules",
    description = "Print the constants of a noise schedule, or plot them.",
    footer = {
      "",
      "JSON and CSV have every constant at every timestep t = 0..T-1 in double precision;",
      "the plot shows betas, alphas_cumprod and the signal-to-noise ratio."
    })
final class SchedulesCommand implements Callable<Integer> {

  enum Format {
    JSON,
    CSV,
    PNG
  }

  private static final Path DEFAULT_PICTURE = Path.of("schedule.png");

  private final Console console;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      converter = Names.Schedule.class,
      completionCandidates = Names.Schedule.class,
      defaultValue = Defaults.SCHEDULE,
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private ScheduleType type;

  @Mixin private ChainOptions chain;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      converter = Names.ScheduleFormats.class,
      completionCandidates = Names.ScheduleFormats.class,
      defaultValue = "json",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Format format;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "Where to write (default: standard output; schedule.png for png).")
  private Path output;

  SchedulesCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    ScheduleConfig config = chain.config(type);
    NoiseSchedule schedule = config.create();
    switch (format) {
      case JSON -> write(stream -> writeJson(schedule, stream));
      case CSV -> write(stream -> writeCsv(schedule, stream));
      case PNG -> {
        Path file = Objects.requireNonNullElse(output, DEFAULT_PICTURE);
        Images.writePng(
            Charts.schedule(schedule, "%s, T = %d".formatted(Names.of(type), config.timesteps())),
            file);
        console.printLine(file.toString());
      }
    }
    return 0;
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
