/** x. */
package org.ddpm4j.data;
