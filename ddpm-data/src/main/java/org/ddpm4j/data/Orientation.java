package org.ddpm4j.data;

/**
 * How a photograph is to be turned before it is looked at: the orientation of EXIF 2.3, table 6,
 * and of TIFF 6.0, tag 274.
 */
enum Orientation {
  /** 1: as it is stored. */
  UPRIGHT(false, false, false),
  /** 2: mirrored left to right. */
  MIRRORED(false, false, true),
  /** 3: turned by 180 degrees. */
  TURNED(false, true, true),
  /** 4: mirrored top to bottom. */
  FLIPPED(false, true, false),
  /** 5: rows and columns exchanged. */
  TRANSPOSED(true, false, false),
  /** 6: a quarter turn clockwise. */
  CLOCKWISE(true, true, false),
  /** 7: rows and columns exchanged along the other diagonal. */
  TRANSVERSE(true, true, true),
  /** 8: a quarter turn counterclockwise. */
  COUNTERCLOCKWISE(true, false, true);

  private final boolean exchanged;
  private final boolean rowsReversed;
  private final boolean columnsReversed;

  Orientation(boolean exchanged, boolean rowsReversed, boolean columnsReversed) {
    this.exchanged = exchanged;
    this.rowsReversed = rowsReversed;
    this.columnsReversed = columnsReversed;
  }

  /** The orientation of a number, 1 to 8; {@link #UPRIGHT} of any other, as viewers have it. */
  static Orientation of(int number) {
    return number >= 1 && number <= values().length ? values()[number - 1] : UPRIGHT;
  }

  /** Whether a stored row is a column of what is looked at. */
  boolean exchangesSides() {
    return exchanged;
  }

  /**
   * Turns an image.
   *
   * @param stored {@code [C,h,w]}, where h and w are the other way round if sides are exchanged
   * @return {@code [C,height,width]}; the given array itself where nothing is to be done
   */
  byte[] apply(byte[] stored, int channels, int height, int width) {
    if (this == UPRIGHT) {
      return stored;
    }
    int storedHeight = exchanged ? width : height;
    int storedWidth = exchanged ? height : width;
    byte[] turned = new byte[stored.length];
    for (int i = 0; i < turned.length; i++) {
      int y = i / width % height;
      int x = i % width;
      int row = exchanged ? x : y;
      int column = exchanged ? y : x;
      row = rowsReversed ? storedHeight - 1 - row : row;
      column = columnsReversed ? storedWidth - 1 - column : column;
      int plane = i / (height * width);
      turned[i] = stored[(plane * storedHeight + row) * storedWidth + column];
    }
    return turned;
  }
}
