/** Editing images with a trained model: to other images, inpainted, interpolated, inverted. */
package org.ddpm4j.cli.edit;
