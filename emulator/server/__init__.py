"""The emulator's process: what is mounted into ministack, the routes beside AWS's, and the server itself."""
