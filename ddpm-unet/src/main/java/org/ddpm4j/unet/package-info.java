/** x. */
package org.ddpm4j.unet;
