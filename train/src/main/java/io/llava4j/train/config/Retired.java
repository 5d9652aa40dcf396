package io.llava4j.train.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A key that a record once had. Files that set it stay readable; a note asks to remove it. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@Repeatable(Retired.Keys.class)
public @interface Retired {
    /** The key within its section. */
    String key();

    /** The only value that is still accepted; empty if every value is. */
    String only() default "";

    /** Several of them. */
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.TYPE)
    @interface Keys {
        /** All of them. */
        Retired[] value();
    }
}
