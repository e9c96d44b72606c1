package org.ddpm4j.cli.options;

/**
 * Height and width of an image in pixels.
 *
 * @param height in pixels
 * @param width in pixels
 */
public record Size(int height, int width) {}
