"""Notices of deadlines: recipients and times; the digest mail, chat, calendar and bus events."""
