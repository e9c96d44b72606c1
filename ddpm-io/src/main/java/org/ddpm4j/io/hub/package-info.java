/**
 * Models of the Hugging Face hub: downloads of the files that are needed, into the cache that
 * Python's {@code huggingface_hub} keeps and reads.
 *
 * <pre>
 * models--OWNER--NAME/blobs/ETAG             the content of a file
 * models--OWNER--NAME/snapshots/COMMIT/FILE  a link to it
 * models--OWNER--NAME/refs/REVISION          the commit that a branch or tag was last seen at
 * .locks/models--OWNER--NAME/ETAG.lock       held while a file is downloaded
 * </pre>
 *
 * @see <a href="https://huggingface.co/docs/huggingface_hub/guides/manage-cache">The cache</a>
 */
package org.ddpm4j.io.hub;
