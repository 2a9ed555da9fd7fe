"""The client of the REST API: typed methods, retries, and waiting for a lab."""

from ekslab.client.client import Client, NotInTime, Refused
from ekslab.client.http import Answer, NoAnswer, NoCredentials, Transport

__all__ = ["Answer", "Client", "NoAnswer", "NoCredentials", "NotInTime", "Refused", "Transport"]
