/**
 * A service that draws images over HTTP, with the JDK's own server. {@link
 * org.ddpm4j.examples.serving.SamplingServer} is the server, {@code SampleRequest} what a client
 * asks for.
 */
package org.ddpm4j.examples.serving;
