"""The command line of ekslab and its client, `ekslab.Client(url)`. Talks HTTP only; knows nothing of the service's insides."""

from ekslab.client import Answer, Client, NoAnswer, NoCredentials, NotInTime, Refused

__version__ = "0.2.0"
__all__ = ["Answer", "Client", "NoAnswer", "NoCredentials", "NotInTime", "Refused"]
