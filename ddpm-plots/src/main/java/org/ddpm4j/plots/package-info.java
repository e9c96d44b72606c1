/**
 * Charts as pictures, drawn in memory: nothing here needs a display, and writing files is left to
 * the caller ({@code Images.writePng} of ddpm-diffusion, or the JDK's {@code ImageIO}).
 *
 * <p>A {@link org.ddpm4j.plots.LineChart} is a value made of {@link org.ddpm4j.plots.Series} and
 * two {@link org.ddpm4j.plots.Axis axes}; {@link org.ddpm4j.plots.LineChart#draw()} makes the
 * picture. {@link org.ddpm4j.plots.ScheduleCharts}, {@link org.ddpm4j.plots.LossChart} and {@link
 * org.ddpm4j.plots.DensityChart} make the charts of this field, {@link org.ddpm4j.plots.BarChart}
 * one of named numbers, {@link org.ddpm4j.plots.KernelDensity} curves of samples, and {@link
 * org.ddpm4j.plots.Panels} puts pictures side by side.
 *
 * <p>Sizes are in points; a picture has 2x2 pixels for each.
 */
package org.ddpm4j.plots;
