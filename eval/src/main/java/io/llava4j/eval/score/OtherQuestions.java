package io.llava4j.eval.score;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** The questions of another source, changed or named otherwise. */
record OtherQuestions(QuestionSource source, UnaryOperator<Question> changed, Function<Question, String> naming)
        implements QuestionSource {
    @Override
    public List<Question> questions(BenchmarkFiles files, UnaryOperator<String> render) {
        return source.questions(files, render).stream().map(changed).toList();
    }

    @Override
    public Path images(BenchmarkFiles files, Path work, Consumer<DataException> unusable) {
        return source.images(files, work, unusable);
    }

    @Override
    public String name(Question question) {
        return naming.apply(question);
    }
}
