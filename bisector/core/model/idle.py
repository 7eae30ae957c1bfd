"""Which files no build or run notices: documentation, licences, what services and editors are configured with."""

DOCUMENTATION = frozenset({".md", ".rst", ".adoc", ".markdown", ".mdx", ".pod"})
DIRECTORIES = frozenset(
    {"doc", "docs", "documentation", ".github", ".gitlab", ".circleci", ".buildkite", ".vscode", ".idea"}
)
"""Directories at the top whose content is about the project, not in it."""
NAMES = frozenset(
    {
        *(".gitignore", ".gitattributes", ".mailmap", ".editorconfig", ".gitlab-ci.yml", ".travis.yml", "appveyor.yml"),
        *(".pre-commit-config.yaml", ".readthedocs.yml", ".readthedocs.yaml", ".codecov.yml", "codecov.yml"),
        *("license", "licence", "copying", "notice", "authors", "contributors", "changelog", "changes", "news"),
        *("readme", "todo", "codeowners", "maintainers"),
    }
)


def is_idle(path: str) -> bool:
    """Whether a change of the file at `path` (relative to the top, with slashes) can hardly matter to a run."""
    *directories, name = path.lower().split("/")
    if directories and directories[0] in DIRECTORIES:
        return True
    stem, dot, suffix = name.rpartition(".")
    return (dot + suffix) in DOCUMENTATION or name in NAMES or (suffix == "txt" and stem in NAMES)
