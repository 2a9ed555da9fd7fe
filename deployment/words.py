"""Catalogues: collects the messages of the code, and compiles the translators' files. `python -m deployment.words` does both.

A message is the first argument of `Sentence(...)`, with its plural as the second; `counted(n, "node")` has its two messages in
the noun; functions that make a sentence of an argument are in `MAKERS`. In templates, and in the command line, which has a
catalogue of its own, it is the argument of `t(...)`. Babel reads and writes the files; nothing that is deployed imports it.
"""

from __future__ import annotations

import ast
import io
import os
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from deployment.compiling import packed

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = "chalicelib/words"
#: The command line's catalogues, which it reads in their source form.
COMMAND_LINE = "ekslab/words"
TEMPLATES = "chalicelib/api/pages/templates"
LANGUAGES = ("ko",)
Found = tuple[str, str, str]
#: Functions and methods of the service that make sentences from plain arguments: the arguments' places.
#: `RequestContext.route` makes several.
MAKERS = {
    **dict.fromkeys(("refused", "warned"), (0,)),
    **dict.fromkeys(("_yours", "_ours", "_unknown", "_decided", "quota", "refusal"), (1,)),
    **dict.fromkeys(("error", "warning", "warn"), (2,)),
    **dict.fromkeys(("NotYours", "NotKept", "NotProved", "NothingAhead", "PolicyNotAllowed"), (0,)),
    **dict.fromkeys(("NoPlan", "LoginRefused", "FormRefused", "AskedTooOften", "__init__"), (0,)),
    "NoReceiptYet": (1,),
    "_field": (1, 2),
    "WrongPhase": (2,),
    "link_route": (3,),
}
#: Files that build sentences from templates, from nouns and names, and the definition of one.
_OF_OTHERS = (
    *("api/pages/render.py", "core/resources.py", "core/wording.py", "core/sentence.py"),
    *("errors/failure_causes.py", "labs/lab.py"),
)
_NO_DATE = datetime(1980, 1, 1, tzinfo=UTC)
_DATED = tuple(
    f'"{name}:'.encode()
    for name in (
        *("Report-Msgid-Bugs-To", "POT-Creation-Date", "PO-Revision-Date", "Last-Translator", "Generated-By"),
        "Project-Id-Version",
    )
)


class NoMessage(Exception):
    """A text that can't be a key of a catalogue; the message has its place."""


def messages(project: Path = PROJECT, folder: str = FOLDER) -> list[Found]:
    """(file, message, plural or empty) of the whole service, or of the command line, in order of files and lines."""
    found: list[Found] = []
    if folder == COMMAND_LINE:
        for path in sorted((project / "ekslab").rglob("*.py")):
            found += _of_module(path.relative_to(project).as_posix(), path.read_text())
        return found
    for path in sorted((project / "chalicelib").rglob("*.py")):
        found += _of_module(path.relative_to(project).as_posix(), path.read_text())
    for path in sorted((project / TEMPLATES).glob("*.html")):
        found += _of_template(path.relative_to(project).as_posix(), path.read_text())
    return found


def made_of(node: ast.Call) -> list[ast.expr]:
    """The arguments that a call makes into sentences, without empty ones and existing sentences."""
    match node.func:
        case ast.Attribute(attr="route"):
            also = [keyword.value for keyword in node.keywords if keyword.arg == "also"]
            given = [*node.args[2:3], *_second_of_pairs([*node.args[3:4], *also])]
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in MAKERS:
            given = [node.args[place] for place in MAKERS[name] if place < len(node.args)]
        case _:
            return []
    made = [each for each in given if isinstance(each, ast.Constant | ast.JoinedStr | ast.BinOp)]
    return [each for each in made if not (isinstance(each, ast.Constant) and each.value == "")]


def _second_of_pairs(nodes: Iterable[ast.expr]) -> Iterator[ast.expr]:
    """The texts of (status, text), and of pairs within each other."""
    for node in nodes:
        match node:
            case ast.Tuple(elts=[ast.Constant(value=int()), text]):
                yield text
            case ast.Tuple(elts=pairs):
                yield from _second_of_pairs(pairs)


def _of_service(name: str, node: ast.AST) -> Iterator[Found]:
    """The messages of MAKERS, and the names of kinds and phases (`kind_said`, `phase_said`)."""
    match node:
        case ast.Call():
            yield from ((name, _constant(name, text), "") for text in made_of(node))
        case ast.ClassDef(name="Kind" | "Phase", body=body):
            yield from ((name, _constant(name, each.value), "") for each in body if isinstance(each, ast.Assign))


def _of_module(name: str, source: str) -> Iterator[Found]:
    for node in ast.walk(ast.parse(source)):
        if name.startswith("chalicelib/"):
            yield from _of_service(name, node)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        match node.func.id:
            case "Sentence" if name.endswith(_OF_OTHERS):
                yield from _where_constant(name, node)
            case "Sentence" | "t":
                texts = [_constant(name, argument) for argument in node.args]
                yield name, texts[0], texts[1] if len(texts) > 1 else ""
            case "counted":
                noun = _constant(name, node.args[1])
                yield name, f"{{n}} {noun}", f"{{n}} {noun}s"


def _where_constant(name: str, node: ast.Call) -> Iterator[Found]:
    """All messages except those that these modules build from others."""
    texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if texts:
        yield name, texts[0], texts[1] if len(texts) > 1 else ""


def _constant(name: str, node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise NoMessage(f"{name}:{node.lineno}: write the message where it is made")


def _of_template(name: str, source: str) -> Iterator[Found]:
    from jinja2 import nodes

    from chalicelib.api.pages.render import environment

    for call in environment().parse(source).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "t":
            texts = [each.value for each in call.args if isinstance(each, nodes.Const)]
            if not texts:
                raise NoMessage(f"{name}:{call.lineno}: write the message where it is said")
            yield name, texts[0], texts[1] if len(texts) > 1 else ""


def template_of(project: Path = PROJECT, folder: str = FOLDER) -> Catalog:
    """All messages without translations, each with the files that have it."""
    catalog = Catalog(project="ekslab", charset="utf-8")
    for name, message, plural in messages(project, folder):
        catalog.add((message, plural) if plural else message, locations=[(name, 0)])
    return catalog


def read(language: str, project: Path = PROJECT, folder: str = FOLDER) -> Catalog:
    """A language's catalogue, from its file."""
    with (project / folder / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def update(language: str, project: Path = PROJECT, folder: str = FOLDER) -> None:
    """Add new messages to the file, without guessing translations, and remove those that no code has."""
    catalog = read(language, project, folder)
    catalog.update(template_of(project, folder), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    with (project / folder / f"{language}.po").open("wb") as file:
        write_catalog(file, catalog)


def write_catalog(file: IO[bytes], catalog: Catalog) -> None:
    """Write the entries by source file; the head has no date and no person, which Git records."""
    for message in catalog:
        message.flags.clear()
    written = io.BytesIO()
    write_po(written, catalog, width=120, include_lineno=False, sort_by_file=True)
    head, between, entries = written.getvalue().partition(b"\n\n")
    kept = [line for line in head.splitlines() if not line.startswith(_DATED)]
    file.write(b"\n".join(kept) + between + entries)


def compiled(catalog: Catalog) -> bytes:
    """The standard library's format; always the same bytes."""
    catalog.creation_date = catalog.revision_date = _NO_DATE
    written = io.BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def compile_here(project: Path = PROJECT) -> None:
    """Put each catalogue beside its source, where tests read it; a catalogue newer than its source stays."""
    for language in LANGUAGES:
        source = project / FOLDER / f"{language}.po"
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        passing = target.with_suffix(f".{os.getpid()}")
        passing.write_bytes(compiled(read(language, project)))
        passing.replace(target)


def with_compiled_catalogues(archive: bytes) -> bytes:
    """Return the zip archive with compiled catalogues instead of sources; as it is if it has none."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        files = {entry.filename: source.read(entry) for entry in source.infolist() if not entry.is_dir()}
    names = [name for name in files if name.startswith(f"{FOLDER}/") and name.endswith(".po")]
    if not names:
        return archive
    for name in names:
        language = name.rpartition("/")[2].removesuffix(".po")
        files[name.removesuffix(".po") + ".mo"] = compiled(read_po(io.BytesIO(files.pop(name)), locale=language))
    return packed(files)


if __name__ == "__main__":
    for each in LANGUAGES:
        update(each)
        update(each, folder=COMMAND_LINE)
    compile_here()
