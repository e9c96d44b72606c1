/**
 * Drawing for many at once. {@link org.ddpm4j.studio.drawing.ModelShelf} lends trained models,
 * {@link org.ddpm4j.studio.drawing.DrawingQueue} takes {@link org.ddpm4j.studio.drawing.Drawing}s
 * up to a limit and draws those of one {@link org.ddpm4j.studio.drawing.Recipe} together; nothing
 * here knows HTTP.
 */
package org.ddpm4j.studio.drawing;
