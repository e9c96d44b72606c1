/** x. */
package org.ddpm4j.schedules;
