/**
 * The {@code ddpm} program. Each subcommand is one class that reads its options, calls the library
 * and writes files; results go to standard output, progress and failures to standard error.
 *
 * <p>What the user got wrong ends in one sentence and exit code 2 ({@link
 * org.ddpm4j.cli.Failures}): {@link java.io.IOException} for files, {@link
 * org.ddpm4j.cli.options.BadInputException} for options. Any other exception is a bug, keeps its
 * stack trace and ends in exit code 1.
 */
package org.ddpm4j.cli;
