package org.ddpm4j.cli.edit;

/** The defaults of the commands that edit images, as the user would type them. */
final class EditingDefaults {

  static final String EDITED_IMAGE = "0";
  static final String EDITING_SCALE = "3";
  static final String INPAINTED_IMAGES = "0,1,5";
  static final String INPAINT_COUNT = "5";
  static final String MASK_BOX = "center";
  static final String JUMP_LENGTH = "5";
  static final String RESAMPLINGS = "5";
  static final String STRENGTHS = "0.2,0.4,0.6,0.8";
  static final String IMAGE_TO_IMAGE_COUNT = "3";
  static final String INTERPOLATED_FROM = "4";
  static final String INTERPOLATED_TO = "1";
  static final String POINTS = "9";
  static final String MIXING_STRENGTH = "0.35";
  static final String INVERTED_IMAGES = "0,1,2,3,4,5,6,7";
  static final String INVERSION_STEPS = "10,25,50,100";
  static final String ITERATIONS = "1";
  static final String INVERSION_CLIP = "none";

  private EditingDefaults() {}
}
