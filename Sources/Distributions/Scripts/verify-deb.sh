# SPDX-License-Identifier: GPL-2.0-only
# Names what is not as the packages of Debian brought it: files that are gone, and files with other contents. Their own
# lists say what that is; configuration may differ.
exec 2>&1
set -e
cat /var/lib/dpkg/info/*.list | while IFS= read -r file; do
  [ -e "$file" ] || [ -L "$file" ] || printf '%s is missing\n' "$file"
done
dpkg --verify | while read -r found file rest; do
  case $found in
  missing | c) ;;
  *) [ "$file" = c ] || printf '%s is changed\n' "$file${rest:+ $rest}" ;;
  esac
done
