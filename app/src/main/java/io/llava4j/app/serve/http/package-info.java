/** What every API of the server shares: exchanges, strict JSON, errors, keys, limits. */
@NullMarked
package io.llava4j.app.serve.http;

import org.jspecify.annotations.NullMarked;
