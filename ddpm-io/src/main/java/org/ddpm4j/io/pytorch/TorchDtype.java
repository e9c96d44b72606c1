package org.ddpm4j.io.pytorch;

import java.util.Arrays;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;

/** PyTorch's dtypes that ND4J has too. */
enum TorchDtype {
  FLOAT64("float64", "DoubleStorage", DataType.DOUBLE),
  FLOAT32("float32", "FloatStorage", DataType.FLOAT),
  FLOAT16("float16", "HalfStorage", DataType.FLOAT16),
  BFLOAT16("bfloat16", "BFloat16Storage", DataType.BFLOAT16),
  INT64("int64", "LongStorage", DataType.INT64),
  INT32("int32", "IntStorage", DataType.INT32),
  INT16("int16", "ShortStorage", DataType.INT16),
  INT8("int8", "CharStorage", DataType.INT8),
  UINT64("uint64", null, DataType.UINT64),
  UINT32("uint32", null, DataType.UINT32),
  UINT16("uint16", null, DataType.UINT16),
  UINT8("uint8", "ByteStorage", DataType.UINT8),
  BOOL("bool", "BoolStorage", DataType.BOOL);

  private final String torchName;

  /** Of the class of its storages; null for the dtypes that came after these classes. */
  private final String storageName;

  private final DataType dataType;

  TorchDtype(String torchName, String storageName, DataType dataType) {
    this.torchName = torchName;
    this.storageName = storageName;
    this.dataType = dataType;
  }

  DataType dataType() {
    return dataType;
  }

  /** The bytes of one element: 1, 2, 4 or 8. */
  int width() {
    return dataType.width();
  }

  /** By its name in the module torch, {@code float32} for instance. */
  static Optional<TorchDtype> named(String name) {
    return Arrays.stream(values()).filter(dtype -> dtype.torchName.equals(name)).findFirst();
  }

  /** By the name of its storages, {@code FloatStorage} for instance. */
  static Optional<TorchDtype> ofStorage(String name) {
    return Arrays.stream(values()).filter(dtype -> name.equals(dtype.storageName)).findFirst();
  }
}
