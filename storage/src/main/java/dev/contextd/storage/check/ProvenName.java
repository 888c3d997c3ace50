package dev.contextd.storage.check;

/**
 * The name of a collection that the name of its folder proves: the first 32 bits of its SHA-256.
 *
 * @param source where the name was found, as a part of a sentence
 */
public record ProvenName(String name, String source) {}
