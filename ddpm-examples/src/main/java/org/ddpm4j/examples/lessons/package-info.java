/**
 * The lessons: what the tutorials on diffusion models teach, done with this library. Each writes
 * its pictures into a folder; {@code docs/lessons} tells what they show. {@code ddpm lesson} runs
 * them.
 */
package org.ddpm4j.examples.lessons;
