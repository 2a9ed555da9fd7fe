"""The API's Lambda: Chalice with the routes and nothing else. The merged template makes it the entry point, not `app.py`."""

from __future__ import annotations

from chalice import Chalice, ConvertToMiddleware

from chalicelib.api.routes.labs import make_blueprint
from chalicelib.logs import invocation_lines
from chalicelib.wiring.deps import get_deps, get_people

app = Chalice(app_name="ekslab")
app.register_middleware(ConvertToMiddleware(invocation_lines))
app.register_blueprint(make_blueprint(get_deps, get_people))
