/** x. */
package org.ddpm4j.examples;
