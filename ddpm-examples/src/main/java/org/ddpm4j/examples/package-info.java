/**
 * Lessons as programs: each main fits on a page or two, runs in minutes on two cores, and writes
 * pictures. Read them in the order forward process, training, sampling, Cold Diffusion.
 */
package org.ddpm4j.examples;
