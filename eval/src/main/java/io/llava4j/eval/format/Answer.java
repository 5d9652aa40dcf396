package io.llava4j.eval.format;

/**
 * One line of a LLaVA answer file (spec/evaluation 1).
 *
 * @param id the question's id
 * @param prompt the question's text
 * @param text what the model said
 * @param answerId 22 characters, unique per answer
 * @param modelId the model's name
 */
public record Answer(QuestionId id, String prompt, String text, String answerId, String modelId) {}
