/** x. */
package org.ddpm4j.diffusion;
