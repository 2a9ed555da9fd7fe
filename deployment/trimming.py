"""Trims the code archive: leaves out files of libraries that a Lambda never opens.

Chalice packs whole distributions. Files that only installers, type checkers and other frameworks read are left out, and so are
translations of holidays' names: the service needs only the dates. tests/deployment/test_trimming.py runs the rest by itself. The
result depends on the content alone, so that packaging twice gives the same archive.
"""

import fnmatch
import io
import re
import zipfile

from deployment.compiling import packed

#: Shell patterns of paths in the archive (`*` also matches `/`), each with its reason.
LEFT_OUT = {
    "*.dist-info/*": "read by installers",
    "*.egg-info/*": "read by installers",
    "*__pycache__/*": "compiled for files whose dates are not the archive's; compiling.py does it anew",
    "dateutil/*": "in the runtime, as botocore needs it",
    "jmespath/*": "in the runtime, as botocore needs it",
    "six.py": "in the runtime, as botocore's dateutil needs it",
    "*.data/scripts/*": "commands",
    "*.pyi": "read by type checkers",
    "*/py.typed": "read by type checkers",
    "pydantic/mypy.py": "a type checker's plugin",
    "pydantic/v1/*": "the previous pydantic, for those who import it by that name",
    "aws_lambda_powertools/event_handler/*": "routing, which is Chalice's here",
    "aws_lambda_powertools/utilities/*": "only the logger is used",
    "yaml/_yaml.*": "libyaml: only PyYAML's own parser says where in a document something is wrong",
    "pydantic/experimental/*": "what pydantic tries out",
    **{
        f"pydantic/{name}.py": "a name of pydantic 1, which says only that it is gone"
        for name in (
            *("class_validators", "color", "datetime_parse", "decorator", "env_settings", "error_wrappers", "generics"),
            *("parse", "schema", "tools", "typing", "utils", "validators"),
        )
    },
    **{
        f"tzdata/zoneinfo/{name}": "lists for people and for zic; `zoneinfo` reads the zones' own files"
        for name in ("tzdata.zi", "zone.tab", "zone1970.tab", "zonenow.tab", "iso3166.tab", "leapseconds")
    },
    "aws_lambda_powertools/metrics/provider/datadog/*": "metrics for Datadog",
    "markupsafe/*.c": "what its library was made of",
    "jinja2/ext.py": "extensions, of which none is used",
    "jinja2/meta.py": "looks at templates, which only tools do",
    "jinja2/nativetypes.py": "renders to other things than text",
    "jinja2/sandbox.py": "renders templates of strangers",
    "holidays/locale/*": "names of holidays in other languages",
    "holidays/financial/*": "holidays of stock exchanges",
}
#: Still needed: the logger imports the former, and `holidays` reads its own version in the latter.
KEPT = (
    "aws_lambda_powertools/utilities/__init__.py",
    "aws_lambda_powertools/utilities/typing/*.py",
    "aws_lambda_powertools/utilities/jmespath_utils/*.py",
    "holidays-*.dist-info/METADATA",
)


def trimmed(archive: bytes) -> bytes:
    """Return the zip archive without the excluded files, in order, with the best compression."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        names = [entry.filename for entry in source.infolist() if not entry.is_dir()]
        return packed({name: _shortened(name, source.read(name)) for name in names if not is_left_out(name)})


def _shortened(path: str, content: bytes) -> bytes:
    """A distribution's METADATA without its description: the version is in its headers. The modules of holidays, some 250, lose
    their opening comments."""
    if path.startswith("holidays/") and path.endswith(".py"):
        return re.sub(rb"\A(?:#.*\n)+", b"", content)
    return content.partition(b"\n\n")[0] + b"\n" if path.endswith(".dist-info/METADATA") else content


def is_left_out(path: str) -> bool:
    """Tell whether a file of the archive is left out."""
    if any(fnmatch.fnmatchcase(path, pattern) for pattern in KEPT):
        return "__pycache__" in path
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in LEFT_OUT)
