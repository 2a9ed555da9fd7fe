"""Merges a lab's context into a kubeconfig, and removes it. The rest of the file stays the same, to the byte.

A file is edited as text: list entries are added and removed under `clusters`, `users` and `contexts` at the top of the document.
A JSON file is edited as JSON. Other files (flow style, several documents) stay unchanged: NotMergeable.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ekslab.printing.yaml_text import dump
from ekslab.words import t

#: The name of our extension in a cluster's entry; it holds the lab's id, by which the entry is found again.
EXTENSION = "ekslab"
#: The attempts to take a lock, and the seconds between them.
_TRIES, _PAUSE = 50, 0.1
_LISTS = ("clusters", "users", "contexts")
_KEY = re.compile(r"([A-Za-z-]+):[ \t]*(.*)")
_EMPTY = re.compile(r"(\[\s*\]|null|~)?\s*(#.*)?")
Json = dict[str, Any]


class NotMergeable(Exception):
    """The file is written in a way that this module does not edit."""


def default_path(environment: Mapping[str, str]) -> Path:
    """kubectl's default path: the first file of KUBECONFIG, else ~/.kube/config."""
    first = next((part for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part), None)
    return Path(first) if first else Path.home() / ".kube" / "config"


def context_of(lab: Mapping[str, Any]) -> str:
    """The name of a lab's context, cluster and user."""
    return f"{lab['name']}.{lab['region']}.ekslab"


def entries(lab: Mapping[str, Any], document: Json, profile: str | None) -> dict[str, Json]:
    """The lab's entry of each list, from the kubeconfig that the service returns for this caller."""
    name = context_of(lab)
    said = with_profile(document, profile)
    mark = [{"name": EXTENSION, "extension": {"lab": lab["id"]}}]
    return {
        "clusters": {"name": name, "cluster": {**said["clusters"][0]["cluster"], "extensions": mark}},
        "users": {"name": name, "user": said["users"][0]["user"]},
        "contexts": {"name": name, "context": {"cluster": name, "user": name}},
    }


def with_profile(document: Json, profile: str | None) -> Json:
    """The service's kubeconfig, with an AWS profile in its token command."""
    if not profile:
        return document
    (user,) = document["users"]
    command = {**user["user"]["exec"], "env": [{"name": "AWS_PROFILE", "value": profile}]}
    return {**document, "users": [{**user, "user": {"exec": command}}]}


def merge(text: str, found: Mapping[str, Json], make_current: bool) -> str:
    """The file's text with these entries, in place of those of the same name. Raises NotMergeable."""
    name = found["contexts"]["name"]
    if text.lstrip().startswith("{"):
        return _merge_json(text, found, name if make_current else None)
    lines = _lines(text) or ["apiVersion: v1", "kind: Config"]
    for kind in _LISTS:
        lines = _with(_without(lines, kind, lambda item: _name_of(item) == name), kind, found[kind])
    if make_current:
        lines = [line for line in lines if not line.startswith("current-context:")]
        lines.append(f"current-context: {json.dumps(name)}")
    return _joined(lines, text)


def remove(text: str, lab_ids: Sequence[str]) -> str:
    """The file's text without the entries of these labs; the same text if there are none. Raises NotMergeable."""
    if EXTENSION not in text:
        return text
    if text.lstrip().startswith("{"):
        return _remove_json(text, lab_ids)
    lines = _lines(text)
    marks = [re.compile(rf"lab: [\"']?{re.escape(lab_id)}[\"']?\s*") for lab_id in lab_ids]
    ours = [item for item in _items(lines, "clusters") if any(_marked(item, mark) for mark in marks)]
    names = {name for item in ours if (name := _name_of(item)) and name.endswith(f".{EXTENSION}")}
    if not names:
        return text
    for kind in _LISTS:
        lines = _without(lines, kind, lambda item: _name_of(item) in names)
    kept = [line for line in lines if not (line.startswith("current-context:") and _value(line[16:]) in names)]
    return _joined(kept, text)


def edit(path: Path, change: Callable[[str], str]) -> bool:
    """Replace the file's text by the result of `change`, under kubectl's own lock; return whether it changed.

    Raises NotMergeable, also while another program holds the lock, and OSError.
    """
    target = Path(os.path.realpath(path))
    before = read(target)
    if change(before) == before:
        return False
    if target.exists():
        _refuse_other(target)
    with _locked(target):
        write(target, change(read(target)))
    return True


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Hold `<file>.lock`, as client-go does while it writes. Raises NotMergeable after some seconds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = target.with_name(f"{target.name}.lock")
    for _ in range(_TRIES):
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            time.sleep(_PAUSE)
    else:
        raise NotMergeable(t("{lock} says that another program is writing it", lock=lock))
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Replace the file in one move, for its owner's eyes only; a link stays a link. Raises NotMergeable, OSError.

    A move would also replace a device such as /dev/null, or a read-only file: these stay unchanged.
    """
    target = Path(os.path.realpath(path))
    if target.exists():
        _refuse_other(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".kubeconfig-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: Path) -> str:
    """The file's text; empty for a missing file, and for a device or a pipe, which might never end."""
    if path.exists() and not path.is_file() and not path.is_dir():
        return ""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _refuse_other(target: Path) -> None:
    if not target.is_file():
        raise NotMergeable(t("it is no regular file"))
    if not target.stat().st_mode & stat.S_IWUSR:
        raise NotMergeable(t("it is read-only"))


def _joined(lines: Sequence[str], before: str) -> str:
    """The lines, with the line ends that the file had."""
    end = "\r\n" if "\r\n" in before else "\n"
    return end.join(lines) + end


def _lines(text: str) -> list[str]:
    lines = re.split(r"\r?\n", text)
    while lines and not lines[-1].strip():
        lines.pop()
    documents = [line for line in lines if line.startswith(("---", "..."))]
    if len(documents) > 1 or (documents and lines.index(documents[0]) > _first(lines)) or "\t" in text:
        raise NotMergeable(t("it has several documents, or tabs"))
    if any(line.startswith(("&", "*", "%", "?", '"', "'")) for line in lines):
        raise NotMergeable(t("it is written in a way that is not edited here"))
    return lines


def _first(lines: Sequence[str]) -> int:
    return next((n for n, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)


def _span(lines: Sequence[str], kind: str) -> tuple[int, int] | None:
    """From the line of a top-level key to the line after its value; None if it is not there. Raises NotMergeable."""
    for number, line in enumerate(lines):
        match = _KEY.fullmatch(line)
        if match and match[1] == kind:
            if not _EMPTY.fullmatch(match[2]):
                raise NotMergeable(t("its {kind} are written in flow style", kind=kind))
            end = number + 1
            while end < len(lines) and (not lines[end].strip() or lines[end][0] in " -#"):
                end += 1
            return number, end
    return None


def _items(lines: Sequence[str], kind: str) -> Iterator[list[str]]:
    span = _span(lines, kind)
    for start, end in _item_spans(lines, span) if span else ():
        yield [*lines[start:end]]


def _item_spans(lines: Sequence[str], span: tuple[int, int]) -> list[tuple[int, int]]:
    begin, end = span
    indent = next((_indent(line) for line in lines[begin + 1 : end] if line.lstrip().startswith("- ")), None)
    if indent is None:
        return []
    starts = [n for n in range(begin + 1, end) if lines[n].startswith(" " * indent + "- ")]
    return [(start, _last(lines, start, after)) for start, after in zip(starts, [*starts[1:], end], strict=True)]


def _last(lines: Sequence[str], start: int, end: int) -> int:
    """The end of an entry without the comments and blank lines that follow it: these are not its own."""
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _without(lines: Sequence[str], kind: str, unwanted: Any) -> list[str]:
    span = _span(lines, kind)
    if span is None:
        return [*lines]
    kept = [*lines]
    for start, end in reversed(_item_spans(lines, span)):
        if unwanted(lines[start:end]):
            del kept[start:end]
    left = _span(kept, kind)
    if left is not None and not _item_spans(kept, left) and kept[left[0]].rstrip() == f"{kind}:":
        kept[left[0]] = f"{kind}: []"
    return kept


def _with(lines: Sequence[str], kind: str, entry: Json) -> list[str]:
    span = _span(lines, kind)
    if span is None:
        return [*lines, f"{kind}:", *dump([entry])]
    items = _item_spans(lines, span)
    indent = " " * (_indent(lines[items[0][0]]) if items else 0)
    head = f"{kind}:"
    return [*lines[: span[0]], head, *(indent + line for line in dump([entry])), *lines[span[0] + 1 :]]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _name_of(item: Sequence[str]) -> str | None:
    """The name of an entry: its own field, at the column after `- `."""
    own = _indent(item[0]) + 2
    for line in item:
        bare = line[own:]
        if (line[:own].strip() in ("", "-")) and bare.startswith("name:"):
            return _value(bare[5:])
    return None


def _value(text: str) -> str:
    bare = re.sub(r"\s+#.*$", "", text.strip())
    if bare.startswith('"') and bare.endswith('"') and len(bare) > 1:
        try:
            return str(json.loads(bare))
        except json.JSONDecodeError:
            return bare[1:-1]
    return bare[1:-1].replace("''", "'") if bare.startswith("'") and bare.endswith("'") and len(bare) > 1 else bare


def _marked(item: Sequence[str], mark: re.Pattern[str]) -> bool:
    return any(mark.fullmatch(line.lstrip(" -")) for line in item)


def _document(text: str) -> Json:
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        raise NotMergeable(t("it is neither block-style YAML nor JSON")) from None
    if not isinstance(document, dict) or any(not isinstance(document.get(kind) or [], list) for kind in _LISTS):
        raise NotMergeable(t("it is no kubeconfig"))
    return document


def _merge_json(text: str, found: Mapping[str, Json], current: str | None) -> str:
    document = _document(text)
    for kind in _LISTS:
        others = [item for item in document.get(kind) or [] if item.get("name") != found[kind]["name"]]
        document[kind] = [found[kind], *others]
    if current:
        document["current-context"] = current
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _remove_json(text: str, lab_ids: Sequence[str]) -> str:
    document = _document(text)
    marks = [{"name": EXTENSION, "extension": {"lab": lab_id}} for lab_id in lab_ids]
    names = {
        item["name"]
        for item in document.get("clusters") or []
        if any(mark in (item.get("cluster", {}).get("extensions") or []) for mark in marks)
    }
    if not names:
        return text
    for kind in _LISTS:
        document[kind] = [item for item in document.get(kind) or [] if item.get("name") not in names]
    if document.get("current-context") in names:
        document["current-context"] = ""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
