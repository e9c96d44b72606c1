/**
 * How far generated images are from real ones.
 *
 * <p>A {@link org.ddpm4j.evaluation.FeatureExtractor}, a network that was trained to tell images
 * apart, turns each image into features; the measures compare those of generated images with those
 * of real ones. D is the length of the features of an image, N a number of images, K a number of
 * classes. {@link org.ddpm4j.evaluation.FrechetDistance} compares means and covariances, {@link
 * org.ddpm4j.evaluation.KernelDistance} all moments up to the third, {@link
 * org.ddpm4j.evaluation.PrecisionRecall} and {@link org.ddpm4j.evaluation.DensityCoverage} tell bad
 * images from missing ones, and {@link org.ddpm4j.evaluation.InceptionScore} looks at classes
 * alone. {@link org.ddpm4j.evaluation.ReferenceFeatures} are those of the real images, as a file;
 * {@link org.ddpm4j.evaluation.DistanceReport} has all figures of some generated ones.
 */
package org.ddpm4j.evaluation;
