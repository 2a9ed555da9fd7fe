"""Machine images whose architecture is known: those that public SSM parameters named."""

_ARCHITECTURES: dict[str, str] = {}


def remember(image_id: str, parameter: str) -> None:
    """Take an image's architecture from the name of the parameter that names it."""
    _ARCHITECTURES[image_id] = "arm64" if "arm64" in parameter or "aarch64" in parameter else "x86_64"


def architecture_of(image_id: str) -> str:
    """The image's architecture, "" where it is not known."""
    return _ARCHITECTURES.get(image_id, "")
