/**
 * The service over HTTP, and the page for the browser. {@link
 * org.ddpm4j.studio.server.StudioServer} listens; {@code Gate} refuses whom it should not serve,
 * {@code Routes} finds the handler of a request, and {@code Exchange} is one request with its
 * answer.
 */
package org.ddpm4j.studio.server;
