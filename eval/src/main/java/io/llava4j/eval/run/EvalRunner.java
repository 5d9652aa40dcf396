package io.llava4j.eval.run;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.report.UnusableImages;
import io.llava4j.generate.ChatModel;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.image.RgbImage;
import io.llava4j.io.Progress;
import io.llava4j.io.Shard;
import io.llava4j.text.Turn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Asks a model questions and writes LLaVA's {@code answers.jsonl}.
 *
 * <p>Questions about one image are answered next to each other, and requests of a batch share the decoded image (the
 * same object), so that a generator can reuse its prefill. Answers go to a journal beside the answer
 * file as they come; a killed run resumes, and answers of {@link Shard}s beside the file are reused. The
 * answer file appears when it is complete, in the order of the questions (official POPE scoring pairs by position), and is
 * the same whether or not the run was interrupted. Several questions may have one id, as in TextVQA and MME, where it
 * names the image.
 */
public final class EvalRunner {
    /** What stands for the answer to a question that was not asked. */
    private static final ChatModel.Answer SKIPPED = new ChatModel.Answer("", FinishReason.STOP);

    private final ChatModel answerer;
    private final String modelId;
    private final Function<Path, RgbImage> decoder;

    /**
     * A runner for one model.
     *
     * @param answerer the model
     * @param modelId names the model in the answer file; use another for other weights, or a finished answer file is
     *     taken for this model's
     * @param decoder reads an image
     */
    public EvalRunner(ChatModel answerer, String modelId, Function<Path, RgbImage> decoder) {
        this.answerer = answerer;
        this.modelId = modelId;
        this.decoder = decoder;
    }

    /**
     * The questions and how to ask them.
     *
     * @param questions those with equal id and recorded prompt are about the same images; they are asked once
     * @param imageRoot folder of the images
     * @param answers the answer file
     * @param options decoding
     * @param batchSize requests per batch
     * @param blind whether every image is replaced by {@link BlankImage}
     * @param recordedPrompt what the answer file keeps of a question as {@code prompt}
     * @param missingImages what happens to questions whose image is missing or cannot be read
     * @param missingImageAdvice another way on, for the message about such an image; may be empty
     */
    public record Job(
            List<Question> questions,
            Path imageRoot,
            Path answers,
            GenerationOptions options,
            int batchSize,
            boolean blind,
            Function<Question, String> recordedPrompt,
            MissingImagePolicy missingImages,
            String missingImageAdvice) {

        /** A job whose answer file keeps the questions as they were sent. */
        public Job(
                List<Question> questions,
                Path imageRoot,
                Path answers,
                GenerationOptions options,
                int batchSize,
                boolean blind) {
            this(questions, imageRoot, answers, options, batchSize, blind, Question::text, MissingImagePolicy.FAIL, "");
        }

        /** @throws ConfigException if the batch size is not positive */
        public Job {
            if (batchSize < 1) {
                throw new ConfigException("batch size must be at least 1, not " + batchSize);
            }
        }

        /** Identifies a question's answer. */
        AnswerKey key(Question question) {
            return new AnswerKey(question.id(), recordedPrompt.apply(question));
        }

        /** The job of one shard. */
        public Job part(Shard shard) {
            return new Job(
                    shard.of(questions),
                    imageRoot,
                    shard.file(answers),
                    options,
                    batchSize,
                    blind,
                    recordedPrompt,
                    missingImages,
                    missingImageAdvice);
        }
    }

    /**
     * Answers all questions, or those that an interrupted run left open.
     *
     * @return the answers in the order of the questions
     * @throws DataException for a question that the model cannot answer, for an image outside the folder, and by {@link MissingImagePolicy#FAIL} for one
     *     that is missing, checked for all questions before the first is asked, or broken
     * @throws ConfigException if the answer file belongs to another run
     */
    public List<Answer> run(Job job, Progress progress) {
        job.questions().forEach(QuestionPrompt::of);
        Set<AnswerKey> keys = keys(job);
        ImageLedger ledger = ImageLedger.of(job.answers());
        JobImages images = new JobImages(job, decoder, ledger);
        AnswerJournal journal = new AnswerJournal(job.answers(), RunManifest.of(job, modelId));
        Map<AnswerKey, Answer> answers = journal.resume(keys);
        List<Answer> ofShards = ShardFiles.finished(job, modelId, ledger).stream()
                .filter(answer -> !answers.containsKey(AnswerKey.of(answer)))
                .toList();
        ofShards.forEach(answer -> answers.put(AnswerKey.of(answer), answer));
        if (removeStale(job, answers, images.changed(), ledger)) {
            journal.rewrite(answers.values());
        } else if (!ofShards.isEmpty()) {
            journal.append(ofShards);
        }
        progress.update(answers.size(), keys.size());
        List<Question> open = new ArrayList<>(byImage(new LinkedHashSet<>(job.questions())));
        open.removeIf(question -> answers.containsKey(job.key(question)));
        open.forEach(this::check);
        for (int from = 0; from < open.size(); from += job.batchSize()) {
            List<Question> batch = open.subList(from, Math.min(from + job.batchSize(), open.size()));
            JobImages.Decoded decoded = images.decode(batch);
            List<Question> usable = batch.subList(0, decoded.usable());
            if (!usable.isEmpty()) {
                List<Answer> given = ask(usable, images, decoded.pixels(), job);
                images.record(usable);
                journal.append(given);
                given.forEach(answer -> answers.put(AnswerKey.of(answer), answer));
                progress.update(answers.size(), keys.size());
            }
            if (decoded.failure() != null) {
                throw decoded.failure();
            }
        }
        List<Answer> ordered = job.questions().stream()
                .map(question -> Objects.requireNonNull(answers.get(job.key(question))))
                .toList();
        ledger.write(job.questions());
        journal.finish(ordered);
        return ordered;
    }

    /** The images of a finished job that could not be used; empty if all could. */
    public static Optional<UnusableImages> unusableImages(Job job) {
        return Optional.ofNullable(ImageLedger.of(job.answers()).unusable(job.questions()));
    }

    /** A sentence about the answers that a limit ended, for the console and the report; empty if there are none. */
    public static Optional<String> truncated(List<Answer> answers) {
        List<Answer> truncated = answers.stream().filter(Answer::truncated).toList();
        return truncated.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "%d of %d answers were truncated by max-new-tokens or the model's context (the first: question %s)"
                                .formatted(
                                        truncated.size(),
                                        answers.size(),
                                        truncated.getFirst().id()));
    }

    /** Removes the answers to questions whose image has changed since; returns whether there were any. */
    private static boolean removeStale(
            Job job, Map<AnswerKey, Answer> answers, Set<String> changed, ImageLedger ledger) {
        boolean removed = false;
        for (Question question : job.questions()) {
            if (question.images().stream().anyMatch(changed::contains)) {
                removed |= answers.remove(job.key(question)) != null;
            }
        }
        changed.forEach(ledger::forget);
        return removed;
    }

    /** Refuses a question that the model cannot answer, such as one that is too long, before the first is asked. */
    private void check(Question question) {
        try {
            answerer.check(
                    request(question, Collections.nCopies(question.images().size(), BlankImage.STANDARD)));
        } catch (DataException e) {
            throw new DataException("question %s: %s".formatted(question.id(), e.getMessage()), e);
        }
    }

    private static ChatRequest request(Question question, List<RgbImage> images) {
        return new ChatRequest(List.of(Turn.human(QuestionPrompt.of(question))), images);
    }

    private List<Answer> ask(List<Question> batch, JobImages images, Map<String, RgbImage> pixels, Job job) {
        List<ChatRequest> requests = new ArrayList<>();
        for (Question question : batch) {
            if (!images.skipped(question)) {
                requests.add(request(
                        question,
                        question.images().stream()
                                .map(image -> Objects.requireNonNull(pixels.get(image)))
                                .toList()));
            }
        }
        List<ChatModel.Answer> given =
                requests.isEmpty() ? List.of() : answerer.finishedAnswers(requests, job.options());
        if (given.size() != requests.size()) {
            throw new IllegalStateException("%d answers to %d requests".formatted(given.size(), requests.size()));
        }
        Iterator<ChatModel.Answer> next = given.iterator();
        List<Answer> answers = new ArrayList<>();
        for (Question question : batch) {
            ChatModel.Answer answer = images.skipped(question) ? SKIPPED : next.next();
            String text = answer.text();
            answers.add(new Answer(
                    question.id(),
                    job.recordedPrompt().apply(question),
                    text,
                    AnswerIds.of(modelId, question, text),
                    modelId,
                    question.options(),
                    answer.finish().isTruncated()));
        }
        return answers;
    }

    private static Set<AnswerKey> keys(Job job) {
        Map<AnswerKey, Question> asked = new HashMap<>();
        for (Question question : job.questions()) {
            Question earlier = asked.putIfAbsent(job.key(question), question);
            if (earlier != null && !earlier.equals(question)) {
                throw new ConfigException(
                        "question_id %s is asked twice with the same text about two images; remove one of them"
                                .formatted(question.id()));
            }
        }
        return asked.keySet();
    }

    /** Stable: images in order of first appearance, questions about the same in their order. */
    private static List<Question> byImage(Set<Question> questions) {
        Map<List<String>, List<Question>> groups = new LinkedHashMap<>();
        for (Question question : questions) {
            groups.computeIfAbsent(question.images(), i -> new ArrayList<>()).add(question);
        }
        return groups.values().stream().flatMap(List::stream).toList();
    }
}
