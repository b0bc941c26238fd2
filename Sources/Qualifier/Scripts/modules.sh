# SPDX-License-Identifier: GPL-2.0-only
# Describes the modules that were installed, a line each, and what they need and nothing exports: KERNEL
exec 2>&1
set -e
comm -13 /q/before /q/after >/q/new
while read -r file; do
  name=$(basename "$file")
  name=${name%%.ko*}
  printf 'module\t%s\t%s\t%s\t%s\n' "$name" "$(stat -c %s "$file")" \
    "$(modinfo -F version "$file")" "$(modinfo -F vermagic "$file")"
done </q/new
# Of these files alone: to look at all modules of a kernel takes seconds. What others export stands in
# Module.symvers, where the kernel's modules of the same names do not count: these replace them.
tab=$(printf '\t')
symbols="/lib/modules/$1/build/Module.symvers"
sed "s|.*/||; s|[.]ko.*||; s|[-_]|[-_]|g; s|.*|$tab([^$tab]*/)?&$tab|" /q/new >/q/own
grep -v -E -f /q/own "$symbols" | cut -f2 >/q/exported
xargs -r depmod -n -e -E "$symbols" "$1" </q/new 2>&1 >/dev/null \
  | sed -n 's|.*/\([^/]*\)[.]ko[^ ]* needs unknown symbol \(.*\)|\1 \2|p' | while read -r name symbol; do
    if ! grep -q -x -F -e "$symbol" /q/exported; then
      printf '%s needs the symbol %s, which nothing exports\n' "$name" "$symbol"
    fi
  done
