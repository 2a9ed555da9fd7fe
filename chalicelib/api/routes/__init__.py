"""One module per resource: method, path, one service call, one view."""
