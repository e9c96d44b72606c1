/**
 * Files: tensors in the safetensors format, and files that appear whole or not at all.
 *
 * <p>Weights and training state leave and enter the library only as safetensors, which hold names,
 * shapes and numbers and nothing that can be executed. {@link org.ddpm4j.io.SafetensorsReader}
 * checks the whole header before it hands out the first tensor, so that a damaged or hostile file
 * ends in one {@link java.io.IOException} with one whole sentence. {@link
 * org.ddpm4j.io.SafetensorsWriter} writes files that Python's {@code safetensors} package opens.
 * {@link org.ddpm4j.io.AtomicFile} is how every file is written, configurations and pictures too.
 *
 * <p>The format: an eight-byte little-endian <i>header length</i>; the <i>header</i>, a JSON object
 * in UTF-8 that gives every tensor's <i>name</i>, <i>dtype</i>, <i>shape</i> and
 * <i>data_offsets</i>, and under {@code __metadata__} a map from strings to strings; then the
 * <i>data section</i>, which the tensors fill without gap or overlap, each little-endian and
 * row-major (ND4J's 'c' order).
 *
 * <p>The dtypes and ND4J's data types, one to one, no value ever converted: {@code F64} DOUBLE,
 * {@code F32} FLOAT, {@code F16} HALF, {@code BF16} BFLOAT16, {@code I64} LONG, {@code I32} INT,
 * {@code I16} SHORT, {@code I8} BYTE, {@code U64} UINT64, {@code U32} UINT32, {@code U16} UINT16,
 * {@code U8} UBYTE, {@code BOOL} BOOL. The format's dtypes of eight bits and fewer with an exponent
 * ({@code F8_…}, {@code F6_…}, {@code F4}) and its complex numbers ({@code C64}) have no
 * counterpart in ND4J and are refused by name.
 *
 * @see <a href="https://github.com/huggingface/safetensors">The safetensors format</a>
 */
package org.ddpm4j.io;
