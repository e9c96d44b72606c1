package org.ddpm4j.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import org.ddpm4j.cli.options.Version;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program itself, which leaves all work to its subcommands. */
@Command(
    name = "ddpm",
    description = "Denoising diffusion probabilistic models: train, sample, look inside.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Version.class,
    usageHelpAutoWidth = true,
    sortOptions = false,
    abbreviateSynopsis = true)
final class Ddpm implements Runnable {

  @Spec private CommandSpec spec;

  @Option(
      names = "--help-all",
      usageHelp = true,
      description = "Show this help with all options.",
      scope = ScopeType.INHERIT)
  private boolean isHelpWanted;

  @Option(
      names = "--verbose",
      description = "Show what the libraries log.",
      scope = ScopeType.INHERIT)
  private void setVerbose(boolean verbose) {
    if (verbose) {
      LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
      context.getLoggerList().stream()
          .filter(logger -> logger.getLevel() != null)
          .forEach(logger -> logger.setLevel(Level.INFO));
      context.getLogger("org.ddpm4j").setLevel(Level.DEBUG);
    }
  }

  /** Whoever asks for nothing wants to know what there is. */
  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
