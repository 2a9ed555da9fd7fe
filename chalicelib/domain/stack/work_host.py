"""The work host's first boot: kubectl of the cluster's minor version, eksctl, docker and a kubeconfig.

The aws command line is part of Amazon Linux 2023. Downloads are checked by SHA-256: eksctl's release is pinned with
its digest; kubectl is the newest patch of the cluster's minor version, whose digest can't be known here, so its publisher's
digest file is used.
A missing tool does not stop the others; the log is /var/log/ekslab-work-host.log. The script holds no secret.

Session Manager starts `sh` as ssm-user, who exists from the first session on, and reads no profile: kubectl and docker are
small wrappers that find the kubeconfig, and the permission to use docker, in any shell.
"""

from __future__ import annotations

import shlex

from chalicelib.domain.labs.lab import Lab

KUBECONFIG = "/etc/ekslab/kubeconfig"
#: Pinned: the newest may need another kubectl, or be broken on the day.
EKSCTL_VERSION = "0.230.0"
#: From that release's eksctl_checksums.txt, as in several public repositories that pin the same release.
EKSCTL_SHA256 = {
    "amd64": "a2060956f117c3065abafda5c1f681679b9c3716675d70ce4ffff46033b02c35",
    "arm64": "21afe8a1e38f0e8153a1f27ff7af6b90e309a0411a1438139463dac2f866674d",
}

_SCRIPT = r"""#!/bin/bash
set -uo pipefail
exec >>/var/log/ekslab-work-host.log 2>&1
cluster=@CLUSTER@
region=@REGION@
minor=@MINOR@
kubeconfig=@KUBECONFIG@
case "$(uname -m)" in aarch64) arch=arm64 eksctl_sum=@ARM64@ ;; *) arch=amd64 eksctl_sum=@AMD64@ ;; esac
work="$(mktemp -d)"
cd "$work" || exit 1

download() { curl --fail --silent --show-error --location --retry 5 --retry-all-errors --output "$1" "$2"; }

docker_in_place() {
  dnf install --assumeyes docker && systemctl enable --now docker && usermod --append --groups docker ec2-user &&
  command_in_place docker <<'EOF'
#!/bin/sh
# Everyone who may become root here may use docker: ssm-user may, and is in no group.
if [ -w /var/run/docker.sock ]; then exec /usr/bin/docker "$@"; fi
exec sudo -n /usr/bin/docker "$@"
EOF
}

command_in_place() { install --mode 0755 /dev/stdin "/usr/local/bin/$1"; }

kubectl_in_place() {
  download version "https://dl.k8s.io/release/stable-$minor.txt" &&
  local from && from="https://dl.k8s.io/release/$(cat version)/bin/linux/$arch" &&
  download kubectl "$from/kubectl" && download kubectl.sha256 "$from/kubectl.sha256" &&
  echo "$(cat kubectl.sha256)  kubectl" | sha256sum --check --quiet &&
  install --directory --mode 0755 /usr/local/libexec/ekslab &&
  install --mode 0755 kubectl /usr/local/libexec/ekslab/kubectl &&
  command_in_place kubectl <<EOF
#!/bin/sh
# The lab's cluster, unless the caller chose another.
if [ -z "\$KUBECONFIG" ] && [ ! -e "\${HOME:-/nonexistent}/.kube/config" ]; then export KUBECONFIG=$kubeconfig; fi
exec /usr/local/libexec/ekslab/kubectl "\$@"
EOF
}

eksctl_in_place() {
  local from="https://github.com/eksctl-io/eksctl/releases/download/v@EKSCTL@" archive="eksctl_Linux_$arch.tar.gz"
  download "$archive" "$from/$archive" &&
  echo "$eksctl_sum  $archive" | sha256sum --check --quiet &&
  tar --extract --gzip --file "$archive" eksctl && install --mode 0755 eksctl /usr/local/bin/eksctl
}

kubeconfig_in_place() {
  install --directory --mode 0755 "$(dirname "$kubeconfig")" &&
  aws eks update-kubeconfig --region "$region" --name "$cluster" --alias "$cluster" --kubeconfig "$kubeconfig" &&
  chmod 0644 "$kubeconfig"
}

printf 'export KUBECONFIG=%s AWS_DEFAULT_REGION=%s\n' "$kubeconfig" "$region" >/etc/profile.d/ekslab.sh
for tool in docker kubectl eksctl; do
  "${tool}_in_place" && echo "$tool is in place" || echo "$tool could not be installed"
done
for _ in $(seq 120); do
  kubeconfig_in_place && echo "the kubeconfig is in place" && break
  sleep 20
done
"""


def work_host_user_data(lab: Lab) -> str:
    """The bash script that EC2 runs once, as root. It waits for the control plane, which is still being created (40 min)."""
    values = {
        "@CLUSTER@": lab.name,
        "@REGION@": lab.region,
        "@MINOR@": lab.spec.version,
        "@KUBECONFIG@": KUBECONFIG,
        "@EKSCTL@": EKSCTL_VERSION,
        **{f"@{architecture.upper()}@": digest for architecture, digest in EKSCTL_SHA256.items()},
    }
    script = _SCRIPT
    for word, value in values.items():
        script = script.replace(word, shlex.quote(value))
    return script
