/**
 * How far generated images are from real ones.
 *
 * <p>A {@link org.ddpm4j.evaluation.FeatureExtractor}, a network that was trained to tell images
 * apart, turns each image into features; the measures compare those of generated images with those
 * of real ones. D is the length of the features of an image, N a number of images, K a number of
 * classes. {@link org.ddpm4j.evaluation.FrechetDistance} compares means and covariances, {@link
 */
package org.ddpm4j.evaluation;
