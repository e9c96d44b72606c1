/** Distances from real images, as several commands measure them. */
package org.ddpm4j.cli.distances;
