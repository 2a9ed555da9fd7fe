"""One module per kind of resource a lab may leave behind: how it is found and deleted."""
