# SPDX-License-Identifier: GPL-2.0-only
# Adds packages to a chroot, and keeps others in /later with what they need: PACKAGES LATER…
set -eu
packages=$1
shift
# No initramfs of a chroot is ever booted; to make one takes long.
export INITRD=No
mkdir -p /var/lib/apt/lists/partial /var/cache/apt/archives/partial
apt-get update --quiet -o APT::Update::Error-Mode=any

# Names of packages, with the suite of those that apt takes from nowhere by itself, such as backports: what they need
# comes from there too.
suited() {
  for name; do
    case $name in
    */*) suite= ;;
    *)
      suite=$(LC_ALL=C apt-cache policy -- "$name" | awk '
        $1 == "Candidate:" { candidate = $2; next }
        found { if ($1 < 500) { sub("/.*", "", $3); print $3 } exit }
        candidate != "" && ($1 == candidate || $2 == candidate) { found = 1 }')
      ;;
    esac
    printf ' %s' "$name${suite:+/$suite}"
  done
}

# shellcheck disable=SC2046,SC2086 # names of packages have no spaces
[ -z "$packages" ] || apt-get install --yes --quiet --no-install-recommends $(suited $packages)
if [ $# -gt 0 ]; then
  mkdir -p /later/partial
  # shellcheck disable=SC2046
  apt-get install --yes --quiet --download-only -o Dir::Cache::archives=/later $(suited "$@")
  rm -rf /later/partial /later/lock
fi
