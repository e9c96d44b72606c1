/** Exchange with PyTorch and diffusers: files converted, and a network asked on given inputs. */
package org.ddpm4j.cli.exchange;
