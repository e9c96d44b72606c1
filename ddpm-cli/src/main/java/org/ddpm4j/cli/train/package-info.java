/** Training and resuming a run. */
package org.ddpm4j.cli.train;
