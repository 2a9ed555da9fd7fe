"""From a request body to a complete, valid specification."""
