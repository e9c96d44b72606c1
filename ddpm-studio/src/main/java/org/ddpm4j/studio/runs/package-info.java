/**
 * Trainings, seen from outside: {@link org.ddpm4j.studio.runs.RunCatalogue} reads what a run's
 * folder says, whoever trains it, and {@link org.ddpm4j.studio.runs.TrainingProcesses} begins and
 * stops runs as processes of their own.
 */
package org.ddpm4j.studio.runs;
