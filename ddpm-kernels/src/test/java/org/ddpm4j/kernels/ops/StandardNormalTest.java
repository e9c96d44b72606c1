package org.ddpm4j.kernels.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Golden values by mpmath 1.3.0 with 60 digits and more. */
class StandardNormalTest {

  private static void assertClose(double actual, double expected) {
    assertThat(actual).isCloseTo(expected, within(2e-14 * Math.abs(expected) + 1e-300));
  }

  /** exp(x*x)*erfc(x) */
  @ParameterizedTest
  @CsvSource({
    "0, 1.0",
    "1e-3, 0.99887262008115140863",
    "0.25, 0.77034654773099674392",
    "0.5, 0.61569034419292587487",
    "0.99999, 0.42758630829139207876",
    "1, 0.42758357615580700441",
    "1.5, 0.32158541645431750235",
    "3, 0.17900115118138995042",
    "6.2, 0.089858108319745925069",
    "6.3, 0.088465899352852195347",
    "10, 0.056140992743822585858",
    "26, 0.021683584850562906616",
    "100, 0.0056416137829894329036",
    "1e8, 5.6418958354775625874e-9",
  })
  void scaledComplementaryErrorFunction(double x, double expected) {
    assertThat(StandardNormal.erfcx(x)).isCloseTo(expected, within(1e-15 * expected * 3));
  }

  /** log(erfc(z/sqrt(2))/2) */
  @ParameterizedTest
  @CsvSource({
    "-38, -2.8854283600687843084e-316",
    "-9, -1.1285884059538406478e-19",
    "-1, -0.17275377902344988953",
    "-0.2, -0.54600435372277412508",
    "0, -0.69314718055994530942",
    "0.2, -0.86573952268159528767",
    "1.4, -2.516314852988328949",
    "5, -15.064998393988725736",
    "38, -726.5572160188201301",
    "200, -20006.217280898190402",
    "10000, -50000010.129278915181",
  })
  void upperTail(double z, double expected) {
    assertClose(StandardNormal.logUpperTail(z), expected);
    assertClose(StandardNormal.logInterval(z, Double.POSITIVE_INFINITY), expected);
    assertClose(StandardNormal.logInterval(Double.NEGATIVE_INFINITY, -z), expected);
  }

  /**
   * log((erfc(a/sqrt(2)) - erfc(b/sqrt(2)))/2). The tolerance allows for the last digit of a narrow
   * interval's ends.
   */
  @ParameterizedTest
  @CsvSource({
    "-0.1, 0.1, -2.5300420015472385111",
    "0.3, 0.3001, -10.174293906810009643",
    "-1, 2, -0.20016629432446257995",
    "-8, 8, -1.2441921148543575987e-15",
    "-40, 40, 0",
    "3, 3.5, -6.7968680066834327659",
    "-7.25, -7, -27.562029964959023989",
    "12, 12.001, -79.832687978360866549",
    "37, 37.5, -689.03058558493407581",
    "250, 251, -31256.44041545042697",
    "1000, 1000.000001, -500014.73494904950245",
    "-30, 1, -0.17275377902344988953",
    "0, 1e-9, -21.642204370151083898",
    "5, 80, -15.064998393988725736",
    "0.7, 1.9, -1.545303727371197307",
    "-0.4, 2, -0.45780377555703000361",
  })
  void interval(double from, double to, double expected) {
    double endError = Math.ulp(Math.max(Math.abs(from), Math.abs(to))) / (to - from);
    double tolerance = 2e-14 * Math.abs(expected) + 2 * endError * Math.min(1, -expected);
    assertThat(StandardNormal.logInterval(from, to)).isCloseTo(expected, within(tolerance));
    assertThat(StandardNormal.logInterval(-to, -from)).isCloseTo(expected, within(tolerance));
  }
}
