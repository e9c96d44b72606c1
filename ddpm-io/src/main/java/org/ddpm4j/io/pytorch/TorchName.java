package org.ddpm4j.io.pytorch;

import java.util.Arrays;
import java.util.Optional;

/**
 * What a pickle may name: the functions with which PyTorch describes tensors. A name is not what it
 * stands for in Python; the {@link Unpickler} only knows what its arguments mean.
 */
enum TorchName {
  ORDERED_DICT("collections", "OrderedDict"),
  SIZE("torch", "Size"),
  REBUILD_TENSOR("torch._utils", "_rebuild_tensor"),
  REBUILD_TENSOR_V2("torch._utils", "_rebuild_tensor_v2"),
  REBUILD_TENSOR_V3("torch._utils", "_rebuild_tensor_v3"),
  REBUILD_PARAMETER("torch._utils", "_rebuild_parameter");

  private final String module;
  private final String function;

  TorchName(String module, String function) {
    this.module = module;
    this.function = function;
  }

  /**
   * What a name stands for here.
   *
   * @return a {@link TorchName}, a {@link StorageType} or a {@link TorchDtype}, or empty
   */
  static Optional<Object> find(String module, String name) {
    Optional<Object> function =
        Arrays.stream(values())
            .filter(known -> known.module.equals(module) && known.function.equals(name))
            .map(Object.class::cast)
            .findFirst();
    boolean isStorageModule =
        module.equals("torch") || module.equals("torch.cuda") || module.equals("torch.storage");
    if (function.isPresent() || !isStorageModule) {
      return function;
    }
    if (name.equals("UntypedStorage")) {
      // Bytes, whose tensors say their dtype themselves.
      return Optional.of(new StorageType(TorchDtype.UINT8));
    }
    Optional<Object> storage = TorchDtype.ofStorage(name).map(StorageType::new);
    return storage.isPresent() ? storage : TorchDtype.named(name).map(Object.class::cast);
  }

  /** A class of storages, known by the dtype of its elements. */
  record StorageType(TorchDtype dtype) {}
}
