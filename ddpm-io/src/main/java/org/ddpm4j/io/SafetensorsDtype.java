package org.ddpm4j.io;

import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.buffer.DataType;

/** The format's names of the data types that ND4J has too. */
enum SafetensorsDtype {
  F64(DataType.DOUBLE),
  F32(DataType.FLOAT),
  F16(DataType.FLOAT16),
  BF16(DataType.BFLOAT16),
  I64(DataType.INT64),
  I32(DataType.INT32),
  I16(DataType.INT16),
  I8(DataType.INT8),
  U64(DataType.UINT64),
  U32(DataType.UINT32),
  U16(DataType.UINT16),
  U8(DataType.UINT8),
  BOOL(DataType.BOOL);

  /** Dtypes of the format without a counterpart in ND4J. */
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "F8_E4M3",
          "F8_E4M3FNUZ",
          "F8_E5M2",
          "F8_E5M2FNUZ",
          "F8_E8M0",
          "F6_E2M3",
          "F6_E3M2",
          "F4",
          "C64");

  private final DataType dataType;

  SafetensorsDtype(DataType dataType) {
    this.dataType = dataType;
  }

  DataType dataType() {
    return dataType;
  }

  /** The bytes of one element: 1, 2, 4 or 8. */
  int width() {
    return dataType.width();
  }

  static Optional<SafetensorsDtype> named(String name) {
    return Arrays.stream(values()).filter(dtype -> dtype.name().equals(name)).findFirst();
  }

  static Optional<SafetensorsDtype> of(DataType dataType) {
    return Arrays.stream(values()).filter(dtype -> dtype.dataType == dataType).findFirst();
  }

  /** Whether the format has a dtype of this name that this package cannot represent. */
  static boolean isUnsupported(String name) {
    return UNSUPPORTED.contains(name);
  }

  /** All names, for sentences. */
  static String names() {
    return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
  }
}
