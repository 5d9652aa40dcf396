package io.llava4j.train.launch;

/**
 * One start of all ranks.
 *
 * @param number from 0
 * @param master where rank 0 keeps the store of the process group; a port of its own in each attempt
 * @param resume whether the ranks continue from the newest checkpoint
 */
public record Attempt(int number, HostPort master, boolean resume) {}
