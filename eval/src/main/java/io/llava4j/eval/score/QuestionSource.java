package io.llava4j.eval.score;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Reads questions from a benchmark's files and locates their images. */
@FunctionalInterface
public interface QuestionSource {
    /**
     * Questions in the order in which they are asked.
     *
     * @param render adds the response-format prompt
     */
    List<Question> questions(BenchmarkFiles files, UnaryOperator<String> render);

    /**
     * The folder to which the questions' image names are relative.
     *
     * @param work where images that come inside a table are written
     * @param unusable receives the reason for each image of a table that cannot be written
     */
    default Path images(BenchmarkFiles files, Path work, Consumer<DataException> unusable) {
        Path images = files.find(FileRole.IMAGES);
        return images != null && Files.isDirectory(images) ? images : Objects.requireNonNull(files.folder());
    }

    /** The name of a question among {@link Score#perQuestion()}; its id, where ids are unique. */
    default String name(Question question) {
        return question.id().toString();
    }

    /** Reads questions from one official file. */
    @FunctionalInterface
    interface Official {
        /** Questions of the file, each with its response-format prompt. */
        List<Question> questions(Path file, UnaryOperator<String> render);
    }

    /** LLaVA's question file where there is one, else the official file of a role. */
    static QuestionSource llavasOr(FileRole role, Official official) {
        return llavasOr((files, render) -> official.questions(files.require(role), render));
    }

    /** LLaVA's question file where there is one, else official files. */
    static QuestionSource llavasOr(QuestionSource official) {
        return (files, render) -> {
            Path file = files.find(FileRole.QUESTIONS);
            return file != null && file.toString().endsWith(".jsonl")
                    ? QuestionFile.read(file)
                    : official.questions(files, render);
        };
    }

    /** The benchmark's own question file; its texts are sent unchanged. */
    static QuestionSource own() {
        return (files, render) -> QuestionFile.read(files.require(FileRole.QUESTIONS));
    }

    /** The same questions with another naming. */
    default QuestionSource named(Function<Question, String> naming) {
        return new OtherQuestions(this, UnaryOperator.identity(), naming);
    }

    /** The same questions, from whichever file they come, without a response-format prompt at their end. */
    default QuestionSource without(String responseFormat) {
        return responseFormat.isEmpty()
                ? this
                : new OtherQuestions(this, question -> question.withoutEnd("\n" + responseFormat), this::name);
    }
}
