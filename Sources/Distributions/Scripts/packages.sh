# SPDX-License-Identifier: GPL-2.0-only
# Lists what is installed in a root, and what lies in it for later.
set -e
export LC_ALL=C
if [ -e /var/lib/dpkg/status ]; then
  dpkg-query --show --showformat '${Package} ${Version} ${Architecture}\n'
else
  rpm --query --all --queryformat '%{NAME} %{EPOCH}:%{VERSION}-%{RELEASE} %{ARCH}\n'
fi
ls /later 2>/dev/null || :
