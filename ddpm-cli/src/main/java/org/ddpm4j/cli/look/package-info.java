/** Looking at what there is: runs, models, devices, schedules, data sets and lessons. */
package org.ddpm4j.cli.look;
