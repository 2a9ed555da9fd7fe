"""The project's root folder, for tests in any folder."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
KUBECTL = PROJECT / ".venv-kubectl" / "bin" / "kubectl"
"""`make kubectl` puts it there."""
