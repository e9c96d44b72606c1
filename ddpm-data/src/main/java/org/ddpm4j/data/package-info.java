/**
 * Image data sets in memory, and batches of them for training.
 *
 * <p>The way of an image: a file, or one record of it, becomes uint8 pixels and a label in an
 * {@link org.ddpm4j.data.ImageDataSet}; an {@link org.ddpm4j.data.ImageDataSetIterator} makes of
 * that shuffled batches x0 {@code [N,C,H,W]}, normalised, with one-hot labels {@code [N,classes]};
 * a {@link org.ddpm4j.data.PrefetchingIterator} makes them ahead of time.
 *
 * <p>{@link org.ddpm4j.data.FashionMnist}, {@link org.ddpm4j.data.Mnist}, {@link
 * org.ddpm4j.data.Cifar10} and {@link org.ddpm4j.data.TinyImageNet} know where the published files
 * may lie on a machine, and {@link org.ddpm4j.data.DataSources} says where to look. {@link
 * org.ddpm4j.data.ImageFolder} reads any folder of image files, and {@link
 * org.ddpm4j.data.ImageDataSet#read} any DataVec records, {@link
 * org.ddpm4j.data.IdxImageRecordReader}'s for one.
 *
 * <p>Names: N images of C channels, H rows and W columns; an <em>epoch</em> visits the images once;
 * a <em>step</em> is one batch of training, counted from 0 over all epochs. Every random choice
 * depends on the seed and on what it is made for (epoch, image) and on nothing else, so that the
 * batch of any step can be made again without those before it.
 *
 * <p>A file that cannot be used is an {@link java.io.IOException} with a sentence that names it; a
 * value that cannot be used is an {@link java.lang.IllegalArgumentException}.
 */
package org.ddpm4j.data;
