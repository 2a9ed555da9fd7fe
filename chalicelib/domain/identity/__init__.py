"""The caller, the caller's teams, and the accounts of the installation."""
