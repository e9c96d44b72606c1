/** The studio and the service: their options, and how they begin trainings. */
package org.ddpm4j.cli.serve;
