/** Files and pages that a run or an evaluation leaves for people to look at. */
package org.ddpm4j.cli.report;
