/**
 * Tensors in PyTorch's own files ({@code .bin}, {@code .pt}, {@code .pth}, {@code .ckpt}), as
 * {@code torch.save} writes state dicts: ZIP archives since 2020, and the format before that.
 *
 * <p>Both hold <i>pickles</i>, which are programs for a small stack machine. Python's machine can
 * call any function that a pickle names; {@link org.ddpm4j.io.pytorch.Unpickler ours} has no way to
 * do so. It knows the {@linkplain org.ddpm4j.io.pytorch.PickleOpcode opcodes} that make numbers,
 * strings, lists and dicts, and of {@linkplain org.ddpm4j.io.pytorch.TorchName names} those with
 * which PyTorch describes tensors; whatever else a file asks for is refused by its name, and
 * nothing is ever executed. What comes out is descriptions of tensors (storage, offset, shape,
 * strides), which are checked against the file before the first number is read.
 */
package org.ddpm4j.io.pytorch;
