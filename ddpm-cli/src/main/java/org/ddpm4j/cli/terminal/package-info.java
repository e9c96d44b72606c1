/** Where the program writes, how far it is, and how the user ends it. */
package org.ddpm4j.cli.terminal;
