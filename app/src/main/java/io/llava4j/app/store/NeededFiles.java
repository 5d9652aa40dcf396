package io.llava4j.app.store;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.io.FileErrors;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Which files of a repository a model needs: configurations, tokenizer, terms, and its weights in one format. */
final class NeededFiles {
    private static final Pattern SMALL = Pattern.compile(
            ".*\\.json|tokenizer\\.model|.*\\.jinja|README\\.md|(LICEN[CS]E|NOTICE|USE_POLICY)[A-Za-z0-9._-]*");
    private static final Pattern SAFETENSORS = Pattern.compile(".*\\.safetensors");
    private static final Pattern BIN =
            Pattern.compile("(pytorch_model|adapter_model|mm_projector|non_lora_trainables).*\\.bin");
    private static final Pattern GGUF = Pattern.compile(".*\\.gguf");
    private static final Pattern GGUF_TOWER = Pattern.compile(".*mmproj.*\\.gguf");
    private static final Pattern FLAX_OR_TENSORFLOW = Pattern.compile("(flax|tf)_.*");

    private NeededFiles() {}

    /**
     * The files to download, small ones first.
     *
     * @param named names that were asked for instead of the repository's own weights; empty for these
     * @throws ConfigException if a named file does not exist, or it is not clear which of several GGUF models is wanted
     * @throws DataException if the repository holds no weights, or paths that lead elsewhere
     */
    static List<HubFile> of(RepoName repo, List<HubFile> all, List<String> named) {
        all.stream().filter(HubFile::isHostile).findFirst().ifPresent(file -> {
            throw new DataException(
                    "%s lists a file '%s', which would be written outside its folder; nothing was pulled"
                            .formatted(repo, FileErrors.shown(file.name())));
        });
        List<HubFile> plain = all.stream().filter(HubFile::isPlain).toList();
        Set<HubFile> needed = new LinkedHashSet<>();
        Set<HubFile> weights = named.isEmpty() ? weights(repo, plain) : chosen(repo, plain, named);
        if (weights.isEmpty()) {
            throw new DataException("%s holds no weights in safetensors, torch's .bin or GGUF".formatted(repo));
        }
        boolean isGguf = weights.stream().allMatch(matches(GGUF));
        // A config.json beside GGUF files would make the folder look like one of transformers.
        plain.stream()
                .filter(matches(SMALL))
                .filter(file -> !isGguf || !file.name().endsWith(".json"))
                .filter(file -> weights.stream().anyMatch(matches(SAFETENSORS)) || !isIndexOf(file, SAFETENSORS))
                .filter(file ->
                        weights.stream().anyMatch(matches(BIN)) || !file.name().endsWith(".bin.index.json"))
                .forEach(needed::add);
        weights.stream().sorted(Comparator.comparingLong(HubFile::size)).forEach(needed::add);
        return List.copyOf(needed);
    }

    /** Whether a file holds weights. */
    static boolean isWeights(HubFile file) {
        return !matches(SMALL).test(file);
    }

    private static boolean isIndexOf(HubFile file, Pattern weights) {
        return file.name().endsWith(".index.json")
                && weights.matcher(file.name().replace(".index.json", "")).matches();
    }

    private static Set<HubFile> weights(RepoName repo, List<HubFile> plain) {
        Set<HubFile> safetensors = select(
                plain, matches(SAFETENSORS).and(matches(FLAX_OR_TENSORFLOW).negate()));
        Set<String> stems = safetensors.stream().map(NeededFiles::kind).collect(Collectors.toSet());
        // Both formats hold the same tensors; a projector of LLaVA's in .bin may lie beside safetensors of something
        // else.
        Set<HubFile> bin = select(plain, matches(BIN).and(file -> !stems.contains(kind(file))));
        safetensors.addAll(bin);
        return safetensors.isEmpty() ? gguf(repo, plain) : safetensors;
    }

    /** What a weight file holds, whatever its format: {@code model}, {@code adapter_model}, {@code mm_projector}, … */
    private static String kind(HubFile file) {
        String stem = file.name().replaceAll("(-\\d{5}-of-\\d{5})?\\.(safetensors|bin)$", "");
        return stem.equals("pytorch_model") ? "model" : stem;
    }

    private static Set<HubFile> gguf(RepoName repo, List<HubFile> plain) {
        Set<HubFile> towers = select(plain, matches(GGUF_TOWER));
        Set<HubFile> models =
                select(plain, matches(GGUF).and(matches(GGUF_TOWER).negate()));
        if (models.stream().map(NeededFiles::withoutPart).distinct().count() > 1 || towers.size() > 1) {
            throw new ConfigException("%s holds several models: name the files to pull with --file, out of %s"
                    .formatted(
                            repo,
                            select(plain, matches(GGUF)).stream()
                                    .map(HubFile::name)
                                    .collect(Collectors.joining(", "))));
        }
        models.addAll(towers);
        return models;
    }

    private static String withoutPart(HubFile file) {
        return file.name().replaceAll("-\\d{5}-of-\\d{5}", "");
    }

    private static Set<HubFile> chosen(RepoName repo, List<HubFile> plain, List<String> named) {
        Set<HubFile> chosen = new LinkedHashSet<>();
        for (String name : named) {
            chosen.add(plain.stream()
                    .filter(file -> file.name().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new ConfigException("%s has no file '%s'; it has %s"
                            .formatted(
                                    repo,
                                    name,
                                    plain.stream().map(HubFile::name).collect(Collectors.joining(", "))))));
        }
        return chosen;
    }

    private static Set<HubFile> select(List<HubFile> files, Predicate<HubFile> condition) {
        return files.stream().filter(condition).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static Predicate<HubFile> matches(Pattern pattern) {
        return file -> pattern.matcher(file.name()).matches();
    }
}
