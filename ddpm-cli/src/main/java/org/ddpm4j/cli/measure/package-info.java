/** Measuring: the variational bound, the speed of this machine, samplers against each other. */
package org.ddpm4j.cli.measure;
