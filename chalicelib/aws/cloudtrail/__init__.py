"""CloudTrail's event history: on in every account, written by nobody but AWS, minutes late, and slow to answer."""
