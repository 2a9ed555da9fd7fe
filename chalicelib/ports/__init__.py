"""The interfaces to the outside world, as Protocols in the terms of this service."""
