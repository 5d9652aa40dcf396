/** LLaVA models in this JVM as chat models of LangChain4j (docs/embedding.md#langchain4j). */
@NullMarked
package io.llava4j.langchain4j;

import org.jspecify.annotations.NullMarked;
