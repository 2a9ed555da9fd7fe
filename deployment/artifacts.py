"""Uploads a package's local files to a bucket and rewrites the template, like `aws cloudformation package`.

Objects are named by their content, so that an unchanged file is the same object and an old stack's files stay as they are.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from deployment.packaging import Package, local_file

ClientFactory = Callable[[str], Any]
"""Makes a boto3 client for a service, of the account and region to deploy to."""


def uploaded(client: ClientFactory, package: Package, bucket: str | None = None) -> str:
    """Upload a package, and return the URL of its template. Without `bucket`, the account's own is used, or made."""
    s3, account = client("s3"), str(client("sts").get_caller_identity()["Account"])
    place = _Place(s3, bucket or _own_bucket(s3, account), account)
    keys = {name: place.put(name, content) for name, content in package.files.items()}
    template = json.dumps(with_locations(package.template, place.bucket, keys), indent=1).encode()
    return place.url(place.put("template.json", template))


def with_locations(template: Mapping[str, Any], bucket: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy of the template that names objects of a bucket where it named local files."""
    copy: dict[str, Any] = json.loads(json.dumps(template))
    for resource in copy["Resources"].values():
        name = local_file(resource)
        if name is not None and resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{bucket}/{keys[name]}"
        elif name is not None:
            resource["Properties"]["DefinitionS3Location"] = {"Bucket": bucket, "Key": keys[name]}
    return copy


class _Place:
    """A bucket of one account. It refuses to write into somebody else's bucket of this name."""

    def __init__(self, s3: Any, bucket: str, account: str) -> None:
        self.bucket, self._s3, self._account = bucket, s3, account

    def put(self, name: str, content: bytes) -> str:
        """Store a file; return its key."""
        key = f"{hashlib.sha256(content).hexdigest()}-{name.rpartition('/')[2]}"
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=content, ExpectedBucketOwner=self._account)
        return key

    def url(self, key: str) -> str:
        """An object's address in the form for CloudFormation."""
        signed: str = self._s3.generate_presigned_url("get_object", Params={"Bucket": self.bucket, "Key": key})
        return signed.partition("?")[0]


def _own_bucket(s3: Any, account: str) -> str:
    region = s3.meta.region_name
    name = f"ekslab-artifacts-{account}-{region}"
    # S3 takes us-east-1 as the region if none is named.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name, **place)
    return name
