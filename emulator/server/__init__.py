"""The emulator's process: services mounted into ministack, the admin routes, and the server itself."""
