"""The service installed into the emulator: demo, `make sandbox`, people, mailboxes, schedules."""
