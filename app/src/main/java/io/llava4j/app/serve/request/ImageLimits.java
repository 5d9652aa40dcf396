package io.llava4j.app.serve.request;

/**
 * What images a request may have.
 *
 * @param maxBytes of one file
 * @param maxCount in one request
 * @param remote whether the server fetches http and https addresses
 */
public record ImageLimits(int maxBytes, int maxCount, boolean remote) {}
