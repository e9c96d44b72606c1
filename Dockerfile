# A container that serves:
#   docker build -t ddpm4j .
#   docker run --rm -p 127.0.0.1:7860:7860 -v "$PWD/token:/run/token:ro" ddpm4j

FROM maven:3.9-eclipse-temurin-17 AS build
WORKDIR /src
COPY . .
RUN mvn -q -B -DskipTests -Dmaven.source.skip -Dmaven.javadoc.skip -pl ddpm-cli -am package

FROM eclipse-temurin:17-jre
COPY --from=build /src/ddpm /opt/ddpm4j/ddpm
COPY --from=build /src/ddpm-cli/target/ddpm-cli.jar /opt/ddpm4j/ddpm-cli/target/ddpm-cli.jar
COPY --from=build /src/ddpm-cli/target/lib /opt/ddpm4j/ddpm-cli/target/lib
# The launcher keeps to the control group's memory and processors. It builds where sources are not those of the
# stamp, and here there are none.
RUN : | cksum >/opt/ddpm4j/ddpm-cli/target/ddpm-launcher.stamp
RUN useradd --system --create-home ddpm
USER ddpm
WORKDIR /home/ddpm
EXPOSE 7860
ENTRYPOINT ["/opt/ddpm4j/ddpm"]
CMD ["serve", "--host", "0.0.0.0", "--token-file", "/run/token"]
