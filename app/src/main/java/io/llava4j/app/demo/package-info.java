/** The main job: a small LLaVA-1.5 learns to see, is measured and written up. */
@NullMarked
package io.llava4j.app.demo;

import org.jspecify.annotations.NullMarked;
