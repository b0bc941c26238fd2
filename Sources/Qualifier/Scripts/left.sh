# SPDX-License-Identifier: GPL-2.0-only
# Lists what is left of a package of modules: NAME
exec 2>&1
find /usr/src /var/lib/dkms /etc -name "$1*" ! -path '*/linux-headers-*' ! -path '/usr/src/kernels/*'
find /lib/modules \( -path '*/updates/*' -o -path '*/extra/*' -o -path '*/weak-updates/*' \) -name '*.ko*'
