/** x. */
package org.ddpm4j.cli;
