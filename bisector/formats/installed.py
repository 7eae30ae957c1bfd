"""Lists that installers keep of what they have installed."""


def debian_versions(status: bytes) -> dict[str, str]:
    """Name and version of every package that dpkg's `status` file has as installed."""
    found: dict[str, str] = {}
    for paragraph in status.decode("utf-8", "replace").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.split("\n") if ": " in line and line[:1] != " ")
        if fields.get("Status", "").endswith(" installed") and "Package" in fields:
            found[fields["Package"]] = fields.get("Version", "")
    return found
