/**
 * Image data sets in memory, and batches of them for training.
 *
 * <p>The way of an image: an {@link org.ddpm4j.data.IdxFile} (or any other source of DataVec
 * records) is read by a {@link org.datavec.api.records.reader.RecordReader} into an {@link
 * org.ddpm4j.data.ImageDataSet}, which keeps uint8 pixels and labels; an {@link
 * org.ddpm4j.data.ImageDataSetIterator} makes of it shuffled batches x0 {@code [N,C,H,W]} in [-1,1]
 * with one-hot labels {@code [N,classes]}. {@link org.ddpm4j.data.FashionMnist} and {@link
 * org.ddpm4j.data.Mnist} know where the published files may lie on a machine, and {@link
 * org.ddpm4j.data.DataSources} says where to look.
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
