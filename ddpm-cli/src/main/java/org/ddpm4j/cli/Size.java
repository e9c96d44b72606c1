package org.ddpm4j.cli;

/** Height and width of an image in pixels. */
record Size(int height, int width) {}
