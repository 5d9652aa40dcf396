package io.llava4j.app.store;

import io.llava4j.ConfigException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Name of a repository on a hub, {@code OWNER/NAME} or {@code OWNER/NAME@REVISION}. A name is also a path in the store, so
 * it holds nothing that could leave a folder.
 *
 * @param owner user or organisation
 * @param name of the repository
 * @param revision branch, tag or commit; null if none is named
 */
public record RepoName(String owner, String name, @Nullable String revision) {
    /** The revision that is pulled when none is named. */
    public static final String MAIN = "main";

    private static final String WORD = "[A-Za-z0-9_][A-Za-z0-9._-]{0,95}";
    private static final Pattern SYNTAX =
            Pattern.compile("(" + WORD + ")/(" + WORD + ")(?:@([A-Za-z0-9][A-Za-z0-9._/-]{0,199}))?");

    /** @throws ConfigException if a part has characters that a hub does not allow */
    public RepoName {
        String text = owner + "/" + name + (revision == null ? "" : "@" + revision);
        if (!SYNTAX.matcher(text).matches() || isAmbiguous(text)) {
            throw new ConfigException(
                    "'%s' is no name of a repository; OWNER/NAME is expected, as in llava-hf/llava-1.5-7b-hf"
                            .formatted(text));
        }
    }

    /** The name in a text; empty if the text cannot be one. */
    public static Optional<RepoName> parse(String text) {
        Matcher matcher = SYNTAX.matcher(text);
        if (!matcher.matches() || isAmbiguous(text)) {
            return Optional.empty();
        }
        return Optional.of(new RepoName(matcher.group(1), matcher.group(2), matcher.group(3)));
    }

    /** Hubs refuse both in names; here the one would leave a folder and the other separates names in those of folders. */
    private static boolean isAmbiguous(String text) {
        return text.contains("..") || text.replaceFirst("@.*", "").contains("--");
    }

    /** {@code OWNER/NAME}. */
    public String repository() {
        return owner + "/" + name;
    }

    /** The revision, {@link #MAIN} if none is named. */
    public String revisionOrMain() {
        return revision == null ? MAIN : revision;
    }

    /** Name of the folder in the owner's folder: the name alone for {@link #MAIN}. */
    String folder() {
        String shown = revisionOrMain();
        return shown.equals(MAIN) ? name : name + "@" + shown.replace("/", "%2F");
    }

    /** The name whose {@link #folder} this is; empty for other folders. */
    static Optional<RepoName> ofFolder(String owner, String folder) {
        return parse(owner + "/" + folder.replace("%2F", "/"));
    }

    /** {@code OWNER/NAME}, with the revision unless it is {@link #MAIN}. */
    @Override
    public String toString() {
        return repository() + (revisionOrMain().equals(MAIN) ? "" : "@" + revision);
    }
}
