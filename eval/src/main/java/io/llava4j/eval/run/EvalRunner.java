package io.llava4j.eval.run;

import io.llava4j.ConfigException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.Question;
import io.llava4j.generate.ChatModel;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.image.RgbImage;
import io.llava4j.io.Progress;
import io.llava4j.text.Turn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
     * @param questions those with equal id and recorded prompt are about one image; they are asked once
     * @param imageRoot folder of the images
     * @param answers the answer file
     * @param options decoding
     * @param batchSize requests per batch
     * @param blind whether every image is replaced by {@link BlankImage}
     * @param recordedPrompt what the answer file keeps of a question as {@code prompt}
     */
    public record Job(
            List<Question> questions,
            Path imageRoot,
            Path answers,
            GenerationOptions options,
            int batchSize,
            boolean blind,
            Function<Question, String> recordedPrompt) {

        /** A job whose answer file keeps the questions as they were sent. */
        public Job(
                List<Question> questions,
                Path imageRoot,
                Path answers,
                GenerationOptions options,
                int batchSize,
                boolean blind) {
            this(questions, imageRoot, answers, options, batchSize, blind, Question::text);
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
                    shard.of(questions), imageRoot, shard.file(answers), options, batchSize, blind, recordedPrompt);
        }
    }

    /**
     * Answers all questions, or those that an interrupted run left open.
     *
     * @return the answers in the order of the questions
     * @throws io.llava4j.DataException for an image that is missing, broken or outside the folder; checked for all
     *     questions before the first is asked
     * @throws ConfigException if the answer file belongs to another run
     */
    public List<Answer> run(Job job, Progress progress) {
        Set<AnswerKey> keys = keys(job);
        Map<String, Path> images = locate(job);
        AnswerJournal journal = new AnswerJournal(job.answers(), RunManifest.of(job, modelId));
        Map<AnswerKey, Answer> answers = journal.resume(keys);
        List<Answer> ofShards = ShardFiles.finished(job, modelId).stream()
                .filter(answer -> !answers.containsKey(AnswerKey.of(answer)))
                .toList();
        if (!ofShards.isEmpty()) {
            journal.append(ofShards);
            ofShards.forEach(answer -> answers.put(AnswerKey.of(answer), answer));
        }
        progress.update(answers.size(), keys.size());
        List<Question> open = new ArrayList<>(byImage(new LinkedHashSet<>(job.questions())));
        open.removeIf(question -> answers.containsKey(job.key(question)));
        for (int from = 0; from < open.size(); from += job.batchSize()) {
            List<Question> batch = open.subList(from, Math.min(from + job.batchSize(), open.size()));
            List<Answer> given = ask(batch, images, job);
            journal.append(given);
            given.forEach(answer -> answers.put(AnswerKey.of(answer), answer));
            progress.update(answers.size(), keys.size());
        }
        List<Answer> ordered = job.questions().stream()
                .map(question -> Objects.requireNonNull(answers.get(job.key(question))))
                .toList();
        journal.finish(ordered);
        return ordered;
    }

    private List<Answer> ask(List<Question> batch, Map<String, Path> images, Job job) {
        Map<String, RgbImage> decoded = new HashMap<>();
        List<ChatRequest> requests = new ArrayList<>();
        for (Question question : batch) {
            String image = question.image();
            if (image == null) {
                requests.add(new ChatRequest(List.of(Turn.human(question.text())), List.of()));
            } else {
                RgbImage pixels = decoded.computeIfAbsent(image, name -> decode(images, name, job.blind()));
                String text = Turn.IMAGE_PLACEHOLDER + "\n" + question.text();
                requests.add(new ChatRequest(List.of(Turn.human(text)), List.of(pixels)));
            }
        }
        List<String> texts = answerer.answer(requests, job.options());
        if (texts.size() != batch.size()) {
            throw new IllegalStateException("%d answers to %d requests".formatted(texts.size(), batch.size()));
        }
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            Question question = batch.get(i);
            answers.add(new Answer(
                    question.id(),
                    job.recordedPrompt().apply(question),
                    texts.get(i),
                    AnswerIds.of(modelId, question, texts.get(i)),
                    modelId,
                    question.options()));
        }
        return answers;
    }

    private RgbImage decode(Map<String, Path> images, String name, boolean blind) {
        RgbImage image = decoder.apply(Objects.requireNonNull(images.get(name)));
        return blind ? BlankImage.like(image) : image;
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

    private static Map<String, Path> locate(Job job) {
        ImageRoot root = new ImageRoot(job.imageRoot());
        Map<String, Path> images = new HashMap<>();
        for (Question question : job.questions()) {
            String image = question.image();
            if (image != null && !images.containsKey(image)) {
                images.put(image, root.resolve(image, "question " + question.id()));
            }
        }
        return images;
    }

    /** Stable: images in order of first appearance, questions of one in their order. */
    private static List<Question> byImage(Set<Question> questions) {
        Map<String, List<Question>> groups = new LinkedHashMap<>();
        for (Question question : questions) {
            String image = question.image();
            groups.computeIfAbsent(image == null ? "" : image, i -> new ArrayList<>())
                    .add(question);
        }
        return groups.values().stream().flatMap(List::stream).toList();
    }
}
