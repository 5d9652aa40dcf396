/** YAML files bound to records, with messages that name file, key, value and what would be right. */
@NullMarked
package io.llava4j.train.config;

import org.jspecify.annotations.NullMarked;
