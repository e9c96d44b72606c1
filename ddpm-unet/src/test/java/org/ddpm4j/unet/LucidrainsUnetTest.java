package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Names, shapes and numbers of parameters as PyTorch counts them, and config.json. */
class LucidrainsUnetTest {

  @TempDir private Path folder;

  /** {@code sum(p.numel() for p in Unet(64).parameters())} of release 2.3.4. */
  @Test
  void hasHisParameters() {
    LucidrainsUnet config = LucidrainsUnet.of(64, 3, List.of(1, 2, 4, 8));
    assertThat(count(config)).isEqualTo(35_711_491);
    assertThat(count(LucidrainsUnet.ofClasses(64, 3, List.of(1, 2, 4, 8), 10)))
        .isEqualTo(38_391_235);
    Map<String, Parameter> parameters =
        Unet.declarations(config, DataType.FLOAT).stream()
            .collect(Collectors.toMap(Parameter::name, Function.identity()));
    assertShape(parameters, "downs.0.2.mem_kv", 2, 4, 32, 4);
    assertShape(parameters, "downs.3.2.mem_kv", 2, 4, 4, 32);
    assertShape(parameters, "downs.0.3.1.weight", 64, 64, 2, 2);
    assertShape(parameters, "ups.0.0.block1.proj.weight", 512, 768, 3, 3);
    assertShape(parameters, "mid_attn.norm.g", 1, 512, 1, 1);
    assertShape(parameters, "final_res_block.mlp.1.weight", 128, 256);
  }

  private static void assertShape(
      Map<String, Parameter> parameters, String name, long... pyTorchShape) {
    assertThat(parameters).containsKey(name);
    assertThat(parameters.get(name).pyTorchShape()).containsExactly(pyTorchShape);
  }

  private static long count(UnetConfig config) {
    return Unet.declarations(config, DataType.FLOAT).stream().mapToLong(Parameter::length).sum();
  }

  static Stream<LucidrainsUnet> networks() {
    return Stream.of(
        LucidrainsUnet.of(8, 3, List.of(1, 2, 4, 8)),
        LucidrainsUnet.ofClasses(8, 1, List.of(2), 10),
        LucidrainsUnet.of(16, 3, List.of(1, 2)).withGroups(8, 0),
        UnetExamples.lucidrains(),
        UnetExamples.lucidrains().withDropout(0.1),
        UnetExamples.lucidrainsOfClasses());
  }

  @ParameterizedTest
  @MethodSource("networks")
  void isReadAsItWasWritten(LucidrainsUnet config) throws IOException {
    assertThat(read(UnetFolder.configToJson(config))).isEqualTo(config);
  }

  @Test
  void whatAFileLeavesOutIsHisDefault() throws IOException {
    assertThat(read("{\"_model\": \"lucidrains\", \"dim\": 16}"))
        .isEqualTo(LucidrainsUnet.of(16, 3, List.of(1, 2, 4, 8)));
    assertThat(read("{\"_model\": \"lucidrains\", \"dim\": 16, \"num_class_embeds\": 11}"))
        .isEqualTo(LucidrainsUnet.ofClasses(16, 3, List.of(1, 2, 4, 8), 10));
  }

  private UnetConfig read(String json) throws IOException {
    Path file = folder.resolve("config.json");
    Files.writeString(file, json);
    return UnetFolder.readConfig(file);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'dim': 2 | dim is 2, and sinusoidal times are 2 wide; both must be the same, even and at least 4",
        "'dim': 8, 'dim_mults': [] | dim_mults is []; it needs 1 to 16 levels",
        "'dim': 8, 'dim_mults': [1, 0] | every multiple must be at least 1",
        "'dim': 8, 'init_dim': 0 | init_dim is 0; it must be from 1 to 1048576",
        "'dim': 8, 'attn_heads': [4, 4] | attn_heads is [4, 4]; it needs an entry for each of the 4 levels",
        "'dim': 8, 'attn_heads': [4, 4, 4, 0] | attn_heads has a 0; it must be at least 1",
        "'dim': 8, 'full_attn': [true, null, true, true] | full_attn is [true, null, true, true]; it needs an entry for each",
        "'dim': 8, 'num_mem_kv': -1 | num_mem_kv is -1; it must be 0 to 1048576",
        "'dim': 8, 'num_class_embeds': 4, 'num_mem_kv': 1 | num_class_embeds is 4 and num_mem_kv 1; a network that is told classes has no memories",
        "'dim': 8, 'resnet_block_groups': -8 | resnet_block_groups is -8; it must divide the channels of every level",
        "'dim': 8, 'init_dim': 12, 'resnet_block_groups': 8 | [1, 2, 4, 8] times 8, and init_dim, 12",
        "'dim': 8, 'dropout': 1 | dropout is 1.0; it must be in [0,1)",
        "'dim': 8, 'self_condition': true, 'out_dim': 6 | self_condition is true; then the network answers with as many channels",
        "'dim': 8, 'learned_sinusoidal_cond': true, 'learned_sinusoidal_dim': 5 | learned_sinusoidal_dim is 5; it must be even, from 2 to 1048576",
      })
  void refusesAValueByName(String fields, String reason) {
    String json = "{\"_model\": \"lucidrains\", " + fields.replace('\'', '"') + "}";
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("This U-Net cannot be built: ")
        .hasMessageContaining(reason);
  }
}
