package org.ddpm4j.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of a safetensors file, checked. The maps are taken over, not copied.
 *
 * @param metadata the strings under {@code __metadata__}, in the header's order
 * @param entries the tensors by name, in the header's order
 */
record SafetensorsHeader(Map<String, String> metadata, Map<String, TensorEntry> entries) {

  /** The header's key that names no tensor. */
  static final String METADATA = "__metadata__";

  /** The bytes of the header length at the beginning of the file. */
  static final int LENGTH_BYTES = Long.BYTES;

  /**
   * The longest header that is read or written, in bytes. The format allows 100 MB; a sixth of that
   * is room for a hundred thousand tensors, and a hostile header of that length, all names and no
   * values, can still be read with a heap of 256 MB.
   */
  static final int MAX_BYTES = 1 << 24;

  /** A tensor's shape is the deepest thing in a valid header, at level 3. */
  private static final int MAX_NESTING = 8;

  /** Names from a foreign file are neither interned nor kept in Jackson's shared symbol table. */
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_NESTING)
                  .maxNameLength(MAX_BYTES)
                  .maxStringLength(MAX_BYTES)
                  .build())
          .build();

  SafetensorsHeader {
    metadata = Collections.unmodifiableMap(metadata);
    entries = Collections.unmodifiableMap(entries);
  }

  /** The header as JSON, padded with spaces so that the data section begins at a multiple of 8. */
  byte[] toBytes() throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      for (Map.Entry<String, TensorEntry> entry : entries.entrySet()) {
        TensorEntry tensor = entry.getValue();
        json.writeObjectFieldStart(entry.getKey());
        json.writeStringField("dtype", tensor.dtype().name());
        json.writeFieldName("shape");
        json.writeArray(tensor.dimensions(), 0, tensor.shape().size());
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {tensor.begin(), tensor.end()}, 0, 2);
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    while (bytes.size() % LENGTH_BYTES != 0) {
      bytes.write(' ');
    }
    return bytes.toByteArray();
  }

  /**
   * Reads a header and checks all that can be checked without the data.
   *
   * @param file the file's name, for sentences
   * @param header the header's bytes
   * @param dataLength the bytes between the header and the end of the file
   * @throws IOException with one sentence, if anything is not as the format demands
   */
  static SafetensorsHeader parse(Path file, byte[] header, long dataLength) throws IOException {
    return new Parser(file, dataLength).parse(header);
  }

  /** The sentence for a file that is damaged or no safetensors file at all. */
  static IOException malformed(Path file, String why, Throwable cause) {
    return new IOException(
        Text.format(
            "The file %s is not a valid safetensors file: %s; get or write the file again.",
            file, why),
        cause);
  }

  /** Whether the text can be encoded, that is, has no half of a surrogate pair. */
  static boolean isUnicode(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  /** One pass over one header. */
  private static final class Parser {

    private final Path file;
    private final long dataLength;

    Parser(Path file, long dataLength) {
      this.file = file;
      this.dataLength = dataLength;
    }

    SafetensorsHeader parse(byte[] header) throws IOException {
      if (header[0] != '{') {
        throw malformed("its header does not begin with '{'");
      }
      CharBuffer text;
      try {
        text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(header));
      } catch (CharacterCodingException e) {
        throw SafetensorsHeader.malformed(file, "its header is not text in UTF-8", e);
      }
      try (JsonParser json = JSON.createParser(text.array(), text.arrayOffset(), text.length())) {
        SafetensorsHeader parsed = object(json);
        checkCoverage(parsed.entries());
        return parsed;
      } catch (JsonProcessingException e) {
        long at = e.getLocation() == null ? 0 : e.getLocation().getCharOffset();
        throw SafetensorsHeader.malformed(
            file, "its header is not valid JSON, at or before character " + at, e);
      }
    }

    private SafetensorsHeader object(JsonParser json) throws IOException {
      Map<String, String> metadata = null;
      var entries = new LinkedHashMap<String, TensorEntry>();
      json.nextToken();
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String name = json.currentName();
        json.nextToken();
        if (name.equals(METADATA)) {
          if (metadata != null) {
            throw malformed("its header has " + METADATA + " twice");
          }
          metadata = metadata(json);
        } else {
          checkUnicode(name);
          if (entries.put(name, entry(json, name)) != null) {
            throw malformed("its header names the tensor " + ForeignText.quoted(name) + " twice");
          }
        }
      }
      if (json.nextToken() != null) {
        throw malformed("its header goes on after the end of its JSON object");
      }
      return new SafetensorsHeader(metadata == null ? Map.of() : metadata, entries);
    }

    private Map<String, String> metadata(JsonParser json) throws IOException {
      if (json.currentToken() != JsonToken.START_OBJECT) {
        throw malformed(METADATA + " in its header is not a JSON object");
      }
      var metadata = new LinkedHashMap<String, String>();
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String key = json.currentName();
        checkUnicode(key);
        if (json.nextToken() != JsonToken.VALUE_STRING) {
          throw malformed(
              METADATA + " gives " + ForeignText.quoted(key) + " a value that is not a string");
        }
        String value = json.getText();
        checkUnicode(value);
        if (metadata.put(key, value) != null) {
          throw malformed(
              METADATA + " in its header has the key " + ForeignText.quoted(key) + " twice");
        }
      }
      return metadata;
    }

    private TensorEntry entry(JsonParser json, String name) throws IOException {
      String tensor = "the tensor " + ForeignText.quoted(name);
      if (json.currentToken() != JsonToken.START_OBJECT) {
        throw malformed(tensor + " is not described by a JSON object");
      }
      SafetensorsDtype dtype = null;
      List<Long> shape = null;
      List<Long> offsets = null;
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String field = json.currentName();
        json.nextToken();
        switch (field) {
          case "dtype" -> {
            checkFirst(dtype, tensor, field);
            dtype = dtype(json, tensor);
          }
          case "shape" -> {
            checkFirst(shape, tensor, field);
            shape = numbers(json, tensor, field, TensorMemory.MAX_RANK);
          }
          case "data_offsets" -> {
            checkFirst(offsets, tensor, field);
            offsets = numbers(json, tensor, field, 2);
          }
          // Fields of a later version of the format, to be ignored as its other readers do.
          default -> json.skipChildren();
        }
      }
      checkPresent(dtype, tensor, "dtype");
      checkPresent(shape, tensor, "shape");
      checkPresent(offsets, tensor, "data_offsets");
      if (offsets.size() != 2) {
        throw malformed(tensor + " has " + offsets.size() + " data_offsets instead of 2");
      }
      var entry = new TensorEntry(dtype, shape, offsets.get(0), offsets.get(1));
      checkExtent(entry, tensor);
      return entry;
    }

    private SafetensorsDtype dtype(JsonParser json, String tensor) throws IOException {
      if (json.currentToken() != JsonToken.VALUE_STRING) {
        throw malformed(tensor + " has a dtype that is not a string");
      }
      String dtype = json.getText();
      if (SafetensorsDtype.isUnsupported(dtype)) {
        throw new IOException(
            Text.format(
                "The file %s holds %s with the dtype %s, for which ND4J has no data type; convert that tensor to F32.",
                file, tensor, dtype));
      }
      return SafetensorsDtype.named(dtype)
          .orElseThrow(
              () ->
                  malformed(
                      Text.format(
                          "%s has the dtype %s, which is none of %s",
                          tensor, ForeignText.quoted(dtype), SafetensorsDtype.names())));
    }

    private List<Long> numbers(JsonParser json, String tensor, String field, int most)
        throws IOException {
      if (json.currentToken() != JsonToken.START_ARRAY) {
        throw malformed(Text.format("%s has a %s that is not a list", tensor, field));
      }
      var numbers = new ArrayList<Long>();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (numbers.size() == most) {
          throw malformed(
              Text.format("%s has a %s of more than the %d numbers possible", tensor, field, most));
        }
        numbers.add(number(json, tensor, field));
      }
      return numbers;
    }

    private long number(JsonParser json, String tensor, String field) throws IOException {
      if (json.currentToken() == JsonToken.VALUE_NUMBER_INT
          && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER
          && json.getLongValue() >= 0) {
        return json.getLongValue();
      }
      throw malformed(
          Text.format(
              "%s has %s in its %s, where a whole number from 0 to %d is due",
              tensor, ForeignText.quoted(json.getText()), field, Long.MAX_VALUE));
    }

    /** Whether the bytes lie in the file and are as many as dtype and shape ask for. */
    private void checkExtent(TensorEntry entry, String tensor) throws IOException {
      if (entry.begin() > entry.end()) {
        throw malformed(
            Text.format(
                "%s begins at byte %d of the data, after its end at byte %d",
                tensor, entry.begin(), entry.end()));
      }
      if (entry.end() > dataLength) {
        throw malformed(
            Text.format(
                "%s ends at byte %d of the data, of which the file has only %d, so it is cut off or its header is wrong",
                tensor, entry.end(), dataLength));
      }
      long bytes = TensorEntry.bytes(entry.dtype(), entry.shape());
      if (bytes < 0) {
        throw malformed(
            Text.format(
                "%s of dtype %s and shape %s is larger than the %d bytes that one tensor may have here",
                tensor, entry.dtype(), entry.shape(), TensorMemory.MAX_BYTES));
      }
      if (bytes != entry.end() - entry.begin()) {
        throw malformed(
            Text.format(
                "%s of dtype %s and shape %s takes %d byte(s), but its data_offsets span %d",
                tensor, entry.dtype(), entry.shape(), bytes, entry.end() - entry.begin()));
      }
    }

    /** Whether the tensors, in the order of their offsets, fill the data section exactly. */
    private void checkCoverage(Map<String, TensorEntry> entries) throws IOException {
      var inOrder = new ArrayList<>(entries.entrySet());
      inOrder.sort(
          Map.Entry.comparingByValue(
              Comparator.comparingLong(TensorEntry::begin).thenComparingLong(TensorEntry::end)));
      long covered = 0;
      String previous = "";
      for (Map.Entry<String, TensorEntry> tensor : inOrder) {
        TensorEntry entry = tensor.getValue();
        if (entry.begin() < covered) {
          throw malformed(
              Text.format(
                  "the tensors %s and %s overlap at byte %d of the data",
                  ForeignText.quoted(previous),
                  ForeignText.quoted(tensor.getKey()),
                  entry.begin()));
        }
        if (entry.begin() > covered) {
          throw malformed(
              Text.format(
                  "the bytes %d to %d of the data, before the tensor %s, belong to no tensor",
                  covered, entry.begin(), ForeignText.quoted(tensor.getKey())));
        }
        covered = entry.end();
        previous = tensor.getKey();
      }
      if (covered != dataLength) {
        throw malformed(
            Text.format(
                "the tensors end at byte %d of the data, but the data go on to byte %d",
                covered, dataLength));
      }
    }

    private void checkFirst(Object earlier, String tensor, String field) throws IOException {
      if (earlier != null) {
        throw malformed(Text.format("%s has its %s twice", tensor, field));
      }
    }

    private void checkPresent(Object value, String tensor, String field) throws IOException {
      if (value == null) {
        throw malformed(Text.format("%s has no %s", tensor, field));
      }
    }

    private void checkUnicode(String text) throws IOException {
      if (!isUnicode(text)) {
        throw malformed(
            "its header has half of a surrogate pair in the string " + ForeignText.quoted(text));
      }
    }

    private IOException malformed(String why) {
      return SafetensorsHeader.malformed(file, why, null);
    }
  }
}
