"""CloudTrail's event history: on in every account, written by AWS only, minutes late, and slow to answer."""
