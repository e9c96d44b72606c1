package org.ddpm4j.cli.edit;

import java.util.OptionalInt;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An image that is to be edited.
 *
 * @param image {@code [1,C,H,W]}, as the model sees it
 * @param label its class, if it is one of a data set
 * @param title what it is, in a few words
 */
record EditedImage(INDArray image, OptionalInt label, String title) {}
