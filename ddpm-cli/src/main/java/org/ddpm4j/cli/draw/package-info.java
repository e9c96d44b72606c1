/** Drawing images of a trained model. */
package org.ddpm4j.cli.draw;
