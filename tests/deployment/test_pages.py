"""Pages ship compiled: the same HTML as from the templates, and the package has no templates."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from jinja2 import ModuleLoader

from chalicelib.api.pages.render import COMPILED, environment, render, translator
from chalicelib.domain.core.sentence import ENGLISH
from deployment.compiling import PAGES, packed, with_compiled_templates
from tests.paths import PROJECT

MODEL = {
    "root": "",
    "caller": None,
    "path": "",
    "form_token": "",
    "title": "<T>",
    "detail": "d",
    "findings": (),
    "login": True,
    "to": "",
}


SAID = {**MODEL, "words": ENGLISH, "t": translator(ENGLISH)}


def archive() -> bytes:
    folder = PROJECT / PAGES
    files = {path.relative_to(PROJECT).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return packed({name: content for name, content in files.items() if "__pycache__" not in name})


def test_compiled_pages_say_what_templates_say(tmp_path: Path) -> None:
    made = with_compiled_templates(archive())
    with zipfile.ZipFile(io.BytesIO(made)) as source:
        names = source.namelist()
        source.extractall(tmp_path)
    assert not [name for name in names if name.endswith(".html")]
    compiled = environment().overlay(loader=ModuleLoader(tmp_path / PAGES / COMPILED))
    for template in ("problem.html", "way_in.html"):
        assert compiled.get_template(template).render(SAID) == render(template, MODEL)
    assert "&lt;T&gt;" in render("problem.html", MODEL)


def test_the_same_templates_are_the_same_archive_and_none_change_nothing() -> None:
    assert with_compiled_templates(archive()) == with_compiled_templates(archive())
    other = packed({"app.py": b"1\n"})
    assert with_compiled_templates(other) == other
