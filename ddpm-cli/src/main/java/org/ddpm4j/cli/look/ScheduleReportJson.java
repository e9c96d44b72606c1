package org.ddpm4j.cli.look;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.schedules.Clipping;
import org.ddpm4j.schedules.DataRange;
import org.ddpm4j.schedules.ScheduleReport;

/**
 * A schedule's report as JSON.
 *
 * @param schedule as a run's configuration has it
 * @param data how large its values are
 * @param terminalAlphaCumprod what is left of the signal's variance
 * @param terminalSqrtAlphaCumprod what is left of its amplitude
 * @param signalLeft what is left of its largest value
 * @param klBitsPerDim of x_T from noise
 * @param firstPureNoise a timestep, or null
 * @param pureNoiseShare of the chain
 * @param clipping how many betas were changed
 * @param float32 what float32 cannot hold
 * @param advice what to change
 */
record ScheduleReportJson(
    ScheduleConfig schedule,
    DataRange data,
    double terminalAlphaCumprod,
    double terminalSqrtAlphaCumprod,
    double signalLeft,
    double klBitsPerDim,
    Integer firstPureNoise,
    double pureNoiseShare,
    Clipping clipping,
    @JsonProperty("float32") List<Loss> float32,
    List<Advice> advice) {

  private record Loss(String quantity, String range, int firstTimestep, int count) {}

  private record Advice(String finding, String severity, String text) {}

  private static final JsonMapper JSON =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  /** Writes an indented object and a line's end. */
  static void write(ScheduleConfig config, ScheduleReport report, OutputStream stream)
      throws IOException {
    ScheduleReportJson json =
        new ScheduleReportJson(
            config,
            report.data(),
            report.terminalAlphaCumprod(),
            report.terminalSqrtAlphaCumprod(),
            report.signalLeft(),
            report.klBitsPerDim(),
            report.firstPureNoise().isPresent() ? report.firstPureNoise().getAsInt() : null,
            report.pureNoiseShare(),
            report.clipping(),
            report.float32Losses().stream()
                .map(
                    loss ->
                        new Loss(
                            loss.quantity(),
                            EnumConverter.spelling(loss.range()),
                            loss.firstTimestep(),
                            loss.count()))
                .toList(),
            report.advice().stream()
                .map(
                    advice ->
                        new Advice(
                            EnumConverter.spelling(advice.finding()),
                            EnumConverter.spelling(advice.severity()),
                            advice.text()))
                .toList());
    stream.write(
        (JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n")
            .getBytes(StandardCharsets.UTF_8));
  }
}
