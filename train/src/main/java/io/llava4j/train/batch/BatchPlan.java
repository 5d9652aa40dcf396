package io.llava4j.train.batch;

import java.util.List;

/**
 * What a batch would do, as far as it is known without the model.
 *
 * @param input the file of the records
 * @param format of the input: {@code records} or {@code openai}
 * @param output the file of the answers
 * @param records of the batch or shard
 * @param unusable of them, those that will fail: broken, without an image that they name, or with the id of another one
 * @param earlier of them, those that earlier runs answered
 * @param open of them, those that a run would answer
 * @param problems sentences of the first unusable records
 */
public record BatchPlan(
        String input,
        String format,
        String output,
        int records,
        int unusable,
        int earlier,
        int open,
        List<String> problems) {}
