package io.llava4j.eval.run;

import io.llava4j.ConfigException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.io.ResumableFile;
import io.llava4j.io.Shard;
import java.util.ArrayList;
import java.util.List;

/** Finds the answers of finished shards. */
final class ShardFiles {
    private ShardFiles() {}

    /**
     * Answers of all finished shards of a job that lie beside its answer file, in the order of the files.
     *
     * @param ledger receives what the shards know of their images
     * @throws ConfigException if a shard belongs to another run
     */
    static List<Answer> finished(EvalRunner.Job job, String modelId, ImageLedger ledger) {
        List<Answer> answers = new ArrayList<>();
        Shard.beside(job.answers()).forEach((shard, file) -> {
            new ResumableFile(file, RunManifest.of(job.part(shard), modelId).json()).requireSame();
            answers.addAll(AnswerFile.read(file));
            ledger.adopt(ImageLedger.of(file));
        });
        return answers;
    }
}
