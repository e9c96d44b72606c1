/** Makes one folder of HTML of all pages, beside the Javadoc of all modules. */
package org.ddpm4j.site;
