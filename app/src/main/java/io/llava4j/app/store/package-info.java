/** Models from a hub with Hugging Face's HTTP interface, in a folder of this user (docs/models.md). */
@NullMarked
package io.llava4j.app.store;

import org.jspecify.annotations.NullMarked;
