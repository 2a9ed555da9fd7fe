"""Who must be told of which deadline and when; the digest mail, chat, calendar and bus events."""
