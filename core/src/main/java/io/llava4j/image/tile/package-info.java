/** How an image is laid on a canvas of tiles, and which features of its tiles become its tokens. Knows no pixels of files. */
@NullMarked
package io.llava4j.image.tile;

import org.jspecify.annotations.NullMarked;
