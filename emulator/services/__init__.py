"""Small services that ministack lacks or answers differently."""
