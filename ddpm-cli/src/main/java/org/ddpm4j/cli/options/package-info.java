/**
 * What the user may say on the command line: options that several commands have, read and checked.
 */
package org.ddpm4j.cli.options;
