# SPDX-License-Identifier: GPL-2.0-only
# Applies the steps of a series to the tree that it stands in: STEPS SAID
# STEPS holds the steps, each a file, and two lists; the programs' words go to SAID, a file for each step. What fails is
# named in SAID/failed.
steps=$1 said=$2
umask 022

failed() {
  printf '%s\n' "$1" >"$said/failed"
  exit 1
}

# What git reads in each step: lines of -pN and names.
while read -r strip names; do
  command -v git >/dev/null || failed git
  # The names are numbers.
  # shellcheck disable=SC2086
  if ! (cd "$steps" && git apply --numstat -z "$strip" $names) >"$said/numstat$strip" 2>"$said/git"; then
    for name in $names; do
      git apply --numstat -z "$strip" "$steps/$name" >/dev/null 2>"$said/$name.git" || failed "$name"
    done
    failed git
  fi
done <"$steps/read"

# Lines of a name, who reads it, -pN, and -R or nothing.
while read -r name reader strip reverse; do
  set -- "$strip" ${reverse:+"$reverse"}
  case $reader in
  exact | binary)
    # It changes all of a step or nothing.
    if git apply --verbose --whitespace=nowarn "$@" "$steps/$name" >"$said/$name.git" 2>&1; then continue; fi
    [ "$reader" = exact ] || failed "$name"
    ;;
  plain) set -- "$@" --remove-empty-files ;;
  esac
  patch "$@" --unified --batch --forward --no-backup-if-mismatch --fuzz=2 --reject-file=- --quoting-style=literal \
    <"$steps/$name" >"$said/$name" 2>&1 || failed "$name"
done <"$steps/list"
