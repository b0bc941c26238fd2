#@ SPDX-License-Identifier: GPL-2.0-only
#@ What the maintainer scripts of a DKMS package share. It is put into each of them, as there may be no /usr/src any more.
#@ POSIX sh, run by dpkg and rpm as root; bash, findutils and kmod are there where dkms is.
#@ dkms says "nothing" for many reasons, and exits 0 on many faults: so its folders are looked at, and what is installed.
# shellcheck shell=sh disable=SC2034
module=@MODULE@
number=@DKMS_VERSION@
# The modules, each with the place that the kernel has for it.
places=@PLACES@
# Those that only some sites build.
conditional=@CONDITIONAL@

# What root has in its environment is for root's own work.
unset CDPATH ENV BASH_ENV GREP_OPTIONS GZIP XZ_OPT XZ_DEFAULTS || :
LC_ALL=C
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# A busybox that is /bin/sh would take its own programs of these names, which do other things.
program() (
  name=$1
  shift
  for folder in $(echo "$PATH" | tr : ' '); do
    [ ! -x "$folder/$name" ] || exec "$folder/$name" "$@"
  done
  exit 127
)
depmod() { program depmod "$@"; }
modinfo() { program modinfo "$@"; }
rpm() { program rpm "$@"; }

say() { echo "@MODULE@ @VERSION@: $*" >&2; }

# setting NAME DEFAULT: what the files of dkms below /etc say.
setting() {
  found=$(env -i PATH="$PATH" bash -s "$1" 2>/dev/null <<'END'
for file in /etc/dkms/framework.conf /etc/dkms/framework.conf.d/*.conf; do
  [ ! -r "$file" ] || . "$file" >/dev/null
done
printf %s "${!1-}"
END
  ) || found=
  echo "${found:-${2-}}"
}
tree=$(setting dkms_tree /var/lib/dkms)
lib=$(setting install_tree /lib/modules)
home=$tree/$module
# While the same number is built anew, what there was of it.
aside=.$number.old
# One is there while a package is unpacked that takes care of the modules of the one before.
marks="$home/.taken-over /run/$module.taken-over"
mark() {
  [ -d "$home" ] || return 0
  for mark in $marks; do touch "$mark" 2>/dev/null || :; done
}
unmark() { for mark in $marks; do rm -f "$mark" || :; done; }
#@if ALL

#@SCRATCH@
scratch=$(scratch_folder)

# dkms with an environment of its own: not root's MAKEFLAGS and the like.
call() {
  env -i PATH="$PATH" HOME=/root LC_ALL=C TMPDIR="$scratch" \
    DKMS_SITE=1 ${DKMS_PROBE_RESULTS:+"DKMS_PROBE_RESULTS=$DKMS_PROBE_RESULTS"} \
    ${OMP_NUM_THREADS:+"OMP_NUM_THREADS=$OMP_NUM_THREADS"} dkms "$@" </dev/null
}

# pairs VERSION: KERNEL/ARCH of all that dkms has built or installed of it.
pairs() {
  {
    for folder in "$home/$1"/[0-9]*/*/; do
      [ ! -d "$folder" ] || echo "${folder#"$home/$1/"}"
    done
    for link in "$home"/kernel-*; do
      target=$(readlink "$link") || continue
      case ${target#"$home/"} in "$1"/*) echo "${target#*"$1/"}" ;; esac
    done
  } | sed 's|/$||' | sort -u
}

# names VERSION/KERNEL/ARCH: the modules there, and those of this package.
names() {
  {
    for file in "$home/$1"/module/*.ko*; do
      [ ! -e "$file" ] || basename "${file%%.ko*}"
    done
    for place in $places; do echo "${place%%=*}"; done
  } | sort -u
}

plain() {
  case $1 in
  *.gz) gzip -dc "$1" ;;
  *.xz) xz -dc "$1" ;;
  *.zst) zstd -dcq "$1" ;;
  *) cat "$1" ;;
  esac
}

# Whether two files are the same module, compression aside.
same() {
  if [ ! -s "$1" ] || [ ! -s "$2" ]; then return 1; fi
  cmp -s "$1" "$2" || [ "$(plain "$1" 2>&1 | cksum)" = "$(plain "$2" 2>&1 | cksum)" ]
}

# Whether a file belongs to a package.
owned() { rpm -qf "$1" >/dev/null 2>&1 || dpkg-query -S "$1" >/dev/null 2>&1; }

# claimed KERNEL NAME: whether dkms has such a module of something else installed there.
claimed() {
  for other in "$tree"/*/kernel-"$1"-*; do
    [ "${other%/*}" != "$home" ] || continue
    for theirs in "$other/module/$2".ko*; do
      [ ! -e "$theirs" ] || return 0
    done
  done
  return 1
}

# index KERNEL: depmod for a kernel that has what depmod makes. One of which only the headers are here has none.
index() { [ ! -e "$lib/$1/modules.dep" ] || depmod "$1" 2>/dev/null || :; }

# index_anew: depmod where modules.dep names modules of this package that are not there, as when it was killed before.
index_anew() {
  any=$(for place in $places; do printf '|%s' "${place%%=*}"; done)
  for table in "$lib"/*/modules.dep; do
    [ -s "$table" ] || continue
    files=$(grep -Eo "^[^:]*/(${any#|})\.ko[^:]*" "$table") || continue
    for file in $files; do
      [ ! -e "${table%/*}/$file" ] || continue
      kernel=${table%/*}
      index "${kernel##*/}"
      break
    done
  done
}

# remove_file FILE: and the folders that are empty then.
remove_file() {
  rm -f "$1" 2>/dev/null || return 1
  changed=yes
  emptied=${1%/*}
  while [ "$emptied" != "$lib/$kernel" ] && ! owned "$emptied" && rmdir "$emptied" 2>/dev/null; do
    emptied=${emptied%/*}
  done
}

# take_out KERNEL NAME [FOLDER]: takes away what dkms has installed under that name. What lies in the folder of dkms, or in
# that of nobody, is its own; elsewhere it is what equals the module in FOLDER.
take_out() {
  kernel=$1
  [ -d "$lib/$kernel" ] || return 0
  ! claimed "$kernel" "$2" || return 0
  # Names of kernels and modules have no spaces.
  files=$(find "$lib/$kernel" ! -type d \( -name "$2.ko" -o -name "$2.ko.[gxz]*" \) 2>/dev/null)
  for file in $files; do
    in=${file%/*}
    case ${in#"$lib/$kernel"} in
    /updates/dkms) ;;
    /updates | /extra) ! owned "$file" || continue ;;
    *)
      equal=
      for stored in "${3-}"/"$2".ko*; do
        if same "$stored" "$file"; then equal=yes; fi
      done
      [ -n "$equal" ] || continue
      ;;
    esac
    remove_file "$file"
  done
  # weak-modules(8) makes links to it for other kernels, in folders that are called as the one that it is in.
  files=$(find "$lib"/*/weak-updates -type l -name "$2.ko*" 2>/dev/null)
  for file in $files; do
    [ ! -e "$file" ] || continue
    rm -f "$file"
    emptied=${file%/*}
    while [ "${emptied##*/}" != weak-updates ] && rmdir "$emptied" 2>/dev/null; do emptied=${emptied%/*}; done
    file=${file#"$lib/"}
    index "${file%%/*}"
  done
}

# put_back KERNEL ARCH: the kernel's own modules, which dkms had put aside, return to where they were.
put_back() {
  saved=$home/original_module/$1/$2
  [ -d "$saved" ] || return 0
  [ -d "$lib/$1" ] || { rm -rf "$saved" && return 0; }
  files=$(find "$saved" -type f -name '*.ko*' ! -name '*.origin')
  for file in $files; do
    place=$(sed -n 1p "$file.origin" 2>/dev/null)
    case $place in
    "$lib/$1/"*) ;;
    *)
      # dkms keeps these for reference.
      case $file in */collisions/*) continue ;; esac
      name=${file##*/}
      place=
      for entry in $places; do
        [ "${entry%%=*}" != "${name%%.ko*}" ] || place=$lib/$1${entry#*=}/$name
      done
      [ -n "$place" ] || continue
      ;;
    esac
    mkdir -p "${place%/*}" && mv -f "$file" "$place" && rm -f "$file.origin" && changed=yes
  done
  find "$home/original_module" -depth -type d -empty -exec rmdir {} \; 2>/dev/null || :
}

# drop VERSION KERNEL/ARCH: takes what dkms has installed of it out of the kernel, unless another version took its place.
drop() {
  kernel=${2%/*}
  link=$home/kernel-$kernel-${2#*/}
  changed=
  case $(readlink "$link" 2>/dev/null) in
  '' | "$1"/* | "$home/$1"/*) ;;
  *) return 0 ;;
  esac
  for name in $(names "$1/$2"); do take_out "$kernel" "$name" "$home/$1/$2/module"; done
  rm -f "$link"
  put_back "$kernel" "${2#*/}"
  if [ -n "$changed" ]; then index "$kernel"; fi
}

# What an interrupted installation of this number has put aside is its own again; and what is in the way of folders goes.
unite() {
  for folder in "$home" "$home/$number" "$home/$aside"; do
    [ -d "$folder" ] || rm -f "$folder"
  done
  [ -d "$home/$aside" ] || return 0
  for pair in $(pairs "$aside"); do
    [ ! -d "$home/$number/$pair/module" ] || continue
    rm -rf "${home:?}/$number/$pair"
    mkdir -p "$home/$number/${pair%/*}" && mv "$home/$aside/$pair" "$home/$number/$pair"
  done
  rm -rf "${home:?}/$aside"
}

# origins: KERNEL/ARCH/FILE=PLACE of the kernel's own modules that are put aside.
origins() {
  for file in "$home"/original_module/*/*/*.origin; do
    [ ! -e "$file" ] || echo "${file#"$home/original_module/"}=$(sed -n 1p "$file")"
  done | sed 's/\.origin=/=/'
}

# forget VERSION: takes it out of dkms and all kernels. dkms goes first, which knows of weak-modules; it may fail.
forget() {
  origins=$(origins)
  before=$(for pair in $(pairs "$1"); do names "$1/$pair" | sed "s|^|$pair/|"; done)
  if [ -d "$home/$1" ]; then call remove -m "$module" -v "$1" --all >/dev/null 2>&1 || :; fi
  for pair in $(echo "$before" | sed 's|/[^/]*$||' | sort -u) $(pairs "$1"); do
    # What was built is known by name only where dkms has removed its folder.
    link=$home/kernel-${pair%/*}-${pair#*/}
    changed=
    if [ ! -L "$link" ]; then
      for name in $(echo "$before" | sed -n "s|^$pair/||p"); do
        take_out "${pair%/*}" "$name" "$home/$1/$pair/module"
      done
      if [ -n "$changed" ]; then index "${pair%/*}"; fi
    fi
    drop "$1" "$pair"
  done
  # dkms before 3.2 puts the kernel's own modules where dkms.conf says, not where they were.
  for entry in $origins; do
    file=${entry%%=*}
    kernel=${file%%/*}
    file=${file##*/}
    for place in $places; do
      place=$lib/$kernel${place#*=}/$file
      if [ "${file%%.ko*}" = "$(basename "${place%%.ko*}")" ] && [ -e "$place" ] && [ ! -e "${entry#*=}" ] &&
        [ ! -L "$home/kernel-$kernel-$(echo "$entry" | cut -d / -f 2)" ]; then
        mkdir -p "$(dirname "${entry#*=}")" && mv "$place" "${entry#*=}" && remove_file "$place"
        index "$kernel"
      fi
    done
  done
  rm -rf "${home:?}/$1" 2>/dev/null || :
}

# The package goes, and the modules with it: also those of releases before, which stayed for some kernels.
remove_modules() {
  # Where dkms has its files now, and where it may have had them.
  for tree in $(printf '%s\n' "$tree" /var/lib/dkms | sort -u); do
    home=$tree/$module
    rm -f "$home/.taken-over"
    unmark
    unite
    forget "$number"
    for version in $(kept) $(strays); do forget "$version"; done
    for saved in "$home"/original_module/*/*/; do
      saved=${saved%/}
      kernel=$(basename "${saved%/*}")
      if [ ! -d "$saved" ] || [ -L "$home/kernel-$kernel-${saved##*/}" ]; then continue; fi
      changed=
      put_back "$kernel" "${saved##*/}"
      [ -z "$changed" ] || index "$kernel"
    done
    find "$home/original_module" -depth -type d -empty -exec rmdir {} \; 2>/dev/null || :
    rmdir "$home" 2>/dev/null || :
    [ ! -d "$home/$number" ] || say "$home/$number could not be removed"
  done
  # Those that a lost folder of dkms no longer names.
  for place in $places; do
    name=${place%%=*}
    for file in "$lib"/*/updates/dkms/"$name".ko* "$lib"/*/updates/"$name".ko* "$lib"/*/extra/"$name".ko*; do
      [ -e "$file" ] || continue
      left=$file
      file=${file#"$lib/"}
      changed=
      take_out "${file%%/*}" "$name"
      [ -z "$changed" ] || index "$kernel"
      if [ -e "$left" ] && ! claimed "$kernel" "$name"; then say "$left could not be removed"; fi
    done
  done
  # What a removal that was killed has not come to.
  for folder in "$lib"/*/updates/dkms "$lib"/*/updates "$lib"/*/extra; do
    if [ -d "$folder" ] && [ -z "$(ls -A "$folder")" ] && ! owned "$folder"; then rmdir "$folder" 2>/dev/null || :; fi
  done
  index_anew
  conf=/usr/src/$module-$number/dkms.conf
  if rpm -qf "$conf" >/dev/null 2>&1 && dpkg-query -S "$conf" >/dev/null 2>&1; then
    say "dpkg and rpm both have this package installed; what is left of it needs to be installed again"
  fi
  in_use "the running kernel still has these modules loaded" "unmount, and unload them, or boot"
}

# in_use WHAT ADVICE: says of loaded modules that are not the installed ones how it stands.
in_use() {
  ! is_image || return 0
  loaded=
  for place in $places; do
    name=$(echo "${place%%=*}" | tr - _)
    [ -e "/sys/module/$name/initstate" ] || continue
    for field in version srcversion; do
      now=$(cat "/sys/module/$name/$field" 2>/dev/null) || now=
      if [ "$now" != "$(modinfo -F "$field" "$name" 2>/dev/null)" ]; then
        loaded="$loaded $name"
        break
      fi
    done
  done
  [ -z "$loaded" ] || say "$1:$loaded; $2"
}

# Whether this is a chroot or an image, not the system that runs.
is_image() {
  [ ! -d "$lib/$(uname -r)" ] || [ "$(stat -Lc %d:%i /proc/1/root/. 2>/dev/null)" != "$(stat -Lc %d:%i /.)" ]
}

# A package that knows how to follow this one is unpacked: its modules stay until that has built its own.
hand_over() {
  for mark in $marks; do
    [ ! -e "$mark" ] || break
    mark=
  done
  if [ -z "$mark" ]; then
    remove_modules
    return
  fi
  [ -w "$home" ] || return 0
  [ ! -d "$home/$number" ] || keep "$number"
}

# kept: the versions whose packages have gone, and whose modules stay. strays: those whose sources have gone without a word.
kept() {
  for folder in "$home"/[0-9]*/kept-source; do
    [ ! -d "$folder" ] || basename "${folder%/kept-source}"
  done
}
strays() {
  for folder in "$home"/[0-9]*; do
    if [ -d "$folder" ] && [ ! -d "$folder/source" ] && [ ! -d "$folder/kept-source" ]; then basename "$folder"; fi
  done
}

# keep VERSION: gives it what dkms needs to know of it.
keep() {
  conf=$home/$1/kept-source/dkms.conf
  rm -rf "${home:?}/$1/build" "$home/$1/kept-source"
  mkdir "$home/$1/kept-source"
  cat "$home/$1/source/dkms.conf" >"$conf" 2>/dev/null || {
    printf 'PACKAGE_NAME="%s"\nPACKAGE_VERSION="%s"\n' "$module" "$1"
    count=0
    for place in $places; do
      echo "BUILT_MODULE_NAME[$count]=\"${place%%=*}\""
      echo "DEST_MODULE_LOCATION[$count]=\"${place#*=}\""
      count=$((count + 1))
    done
  } >"$conf"
  # Nothing is built from what stays for the sake of its modules.
  echo 'AUTOINSTALL=""' >>"$conf"
  rm -rf "$home/$1/source"
  ln -s "$home/$1/kept-source" "$home/$1/source"
}

# The newest kernel that can be booted here, else the newest there is.
newest() {
  for file in /boot/vmlinu[xz]-* /boot/config-* "$lib"/*/vmlinuz; do
    [ -e "$file" ] || continue
    case $file in
    /boot/*) kernel=${file#/boot/*-} ;;
    *) kernel=$(basename "${file%/*}") ;;
    esac
    [ ! -d "$lib/$kernel" ] || echo "$kernel"
  done | sort -V | tail -n 1
}

kernels() {
  for folder in "$lib"/[0-9]*/; do
    folder=${folder%/}
    case $folder in *' '*) continue ;; esac
    if [ -L "$folder/build" ] || [ -d "$folder/build" ] || [ -d "$folder/kernel" ]; then echo "${folder##*/}"; fi
  done | sort -V
}

# As Debian's dkms chooses: the running and the newest kernel; elsewhere than on the running system all, and at an upgrade
# the newest. And those that have modules of the package.
debian_kernels() {
  if [ -n "$(setting autoinstall_all_kernels)" ]; then
    kernels
    return
  fi
  running=$(uname -r)
  last=$(newest)
  {
    if [ -d "$lib/$running" ]; then
      echo "$running"
      [ -z "$last" ] || echo "$last"
    elif [ -n "$last" ] && [ -n "$1" ]; then
      echo "$last"
    else
      kernels
    fi
    for folder in "$home/$number"/[0-9]*/ "$home/$aside"/[0-9]*/ "$home"/*/kept-source/../[0-9]*/; do
      [ ! -d "$folder" ] || [ ! -d "$lib/$(basename "$folder")" ] || basename "$folder"
    done
  } | sort -Vu
}

# stays KERNEL: what is said of the modules that a kernel has and that are not replaced.
stays() {
  for folder in "$home"/*/kept-source/../"$1"/*/module "$home/$aside/$1"/*/module; do
    [ -d "$folder" ] || continue
    version=${folder#"$home/"}
    version=${version%%/*}
    if [ "$version" = "$aside" ]; then
      echo "; those that it has stay"
    elif newer "$version"; then
      echo "; those of $version, which it has, are removed"
    else
      echo "; those of $version, which it has, stay"
    fi
    return
  done
}

# Whether a version is newer than this one. dkms would take it for the one to install for further kernels.
newer() { [ "$(printf '%s\n' "$1" "$number" | sort -V | tail -n 1)" != "$number" ]; }

# What is said about a failed build: what the probe found, else the first error of the compiler, else what dkms says.
cause() {
  build=$home/$number/build
  if [ -s "$build/dkms/cause" ]; then
    sed -n 1p "$build/dkms/cause"
  else
    text=$(for words in 'No space left' 'error:' 'command not found' '[Ee]rror'; do
      ! grep -hsm1 "$words" "$build/make.log" "$log" || exit 0
    done | sed -n 1p | grep . || tail -n 1 "$log")
    echo "$text$(sed 's/.*/ (&)/' "$build/dkms/hint" 2>/dev/null)"
  fi
}

# check KERNEL: whether all that was built is installed, and is what a modprobe would find; else it is in $wrong.
check() {
  wrong="dkms has stored none"
  for place in $places; do
    # Which modules there are can be set below /etc.
    case " $conditional " in *" ${place%%=*} "*) continue ;; esac
    for file in /etc/dkms/"$module"*.conf "$home/$number/$1"/*/module/"${place%%=*}".ko*; do
      [ ! -e "$file" ] || continue 2
    done
    wrong="dkms has not stored ${place%%=*}" && return 1
  done
  for file in "$home/$number/$1"/*/module/*.ko*; do
    [ -e "$file" ] || continue
    wrong=
    name=$(basename "${file%%.ko*}")
    case $(modinfo -F vermagic "$file" 2>/dev/null) in
    "$1 "*) ;;
    *) wrong="$file is not whole" && return 1 ;;
    esac
    if [ "$lib" = /lib/modules ] && [ -e "$lib/$1/modules.dep" ]; then
      found=$(modinfo -k "$1" -F filename "$name" 2>/dev/null | sed -n 1p)
    else
      installed=$(find "$lib/$1" -name "$name.ko*")
      found=
      for found in $installed; do
        ! same "$file" "$found" || break
      done
    fi
    [ -n "$found" ] || { wrong="$name is not there" && return 1; }
    same "$file" "$found" || { wrong="$found is not what was built" && return 1; }
  done
  [ -z "$wrong" ]
}

# why: what dkms or the system says about modules that could not be installed.
why() {
  said=$(grep -m1 -i 'no space left\|read-only\|not newer\|permission' "$log" 2>/dev/null) || said=
  if [ -z "$said" ] && [ ! -w "$lib/$1" ]; then said="$lib/$1 cannot be written to"; fi
  if [ -z "$said" ] && [ "$(df -Pk "$lib/$1/updates" 2>/dev/null | awk 'END { print $4 }')" = 0 ]; then
    said="no space left in $lib/$1/updates"
  fi
  echo "${said:+ ($said)}"
}

# build KERNEL: 0 installed or rightly skipped, 1 not built, 2 built and not installed.
build() {
  supported=0
#@if RANGE
  sh "$source/dkms/pre-build" --supports "$1" || supported=$?
#@end
#@if FAMILIES
  reason=$(sh "$source/dkms/pre-build" --supports "$1") || supported=$?
#@end
  case $supported in
  0) ;;
  77)
#@if RANGE
    say "kernel $1 is skipped: supported are @MIN@ to @MAX@$(stays "$1")"
#@end
#@if FAMILIES
    say "kernel $1 is skipped: $reason$(stays "$1")"
#@end
    return 0
    ;;
  *)
    say "the modules could not be built for kernel $1: $source is not whole; install the package again$(stays "$1")"
    return 1
    ;;
  esac
  if [ ! -e "$lib/$1/build/Makefile" ]; then
    say "kernel $1 gets no modules, as its headers are not installed$(stays "$1")"
    return 0
  fi
  echo "Building @MODULE@ @VERSION@ for kernel $1"
  built=0
  call build -m "$module" -v "$number" -k "$1" >"$log" 2>&1 || built=$?
  unsigned=$(grep -m1 "won't be signed\|can't generate key\|SSL error" "$log") || unsigned=
  unsigned=${unsigned#- }
  case $built in
  0) ;;
  9 | 77)
    say "kernel $1 is skipped: $(grep -m1 -i 'error\|exclusive' "$log")$(stays "$1")"
    rm -rf "${home:?}/$number/$1"
    return 0
    ;;
  *)
    said=$(cause)
    say "the modules could not be built for kernel $1: $said$(stays "$1")"
    rm -rf "${home:?}/$number/$1"
    # That is no fault of the kernel's, and may be none the next time.
    case $said in *'No space left'*) return 2 ;; esac
    return 1
    ;;
  esac
  # In the folder of dkms, and of no version that it knows.
  force=
  for folder in "$home/$number/$1"/*/; do
    arch=$(basename "$folder")
    if [ -L "$home/kernel-$1-$arch" ]; then
      force=yes
    else
      for name in $(names "$number/$1/$arch"); do
        for file in "$lib/$1/updates/dkms/$name".ko*; do
          if [ ! -e "$file" ] || claimed "$1" "$name"; then continue; fi
          say "$file, which no version in dkms has installed, is replaced"
          rm -f "$file"
        done
      done
    fi
  done
  own=$(for name in $(names "$number/$1/$arch"); do find "$lib/$1" -type f -name "$name.ko*"; done)
  call install -m "$module" -v "$number" -k "$1" ${force:+--force} >"$log" 2>&1 || :
  # dkms before 3.2 forgets where the kernel's own modules were.
  for file in $own; do
    saved=$home/original_module/$1/$arch/${file##*/}
    if [ -e "$saved" ] && [ ! -e "$saved.origin" ]; then echo "$file" >"$saved.origin"; fi
  done
  if check "$1"; then return 0; fi
  say "the modules were built for kernel $1 and could not be installed: $wrong$(why "$1")$(stays "$1")"
  undo "$1"
  return 2
}

# undo KERNEL: takes away what could not be installed, and brings what was there before.
undo() {
  for built in "$home/$number/$1"/*/; do
    arch=$(basename "$built")
    old=
    for folder in "$home"/*/kept-source/.. "$home/$aside"; do
      [ ! -d "$folder/$1/$arch/module" ] || old=$(cd "$folder" && pwd -P)
    done
    if [ -z "$old" ]; then
      rm -f "$home/kernel-$1-$arch"
      drop "$number" "$1/$arch"
      continue
    fi
    for stored in "$old/$1/$arch/module"/*.ko*; do
      name=${stored##*/}
      files=$(find "$lib/$1" -name "${name%%.ko*}.ko*" ! -path '*/kernel/*' 2>/dev/null)
      for folder in updates/dkms extra updates; do
        if [ -z "$files" ] && [ -d "$lib/$1/$folder" ]; then files=$lib/$1/$folder/$name; fi
      done
      for file in $files; do
        same "$stored" "$file" || { rm -f "$file" && cp "$stored" "${file%/*}/$name"; } || say "$file is lost"
      done
    done
    ln -sfn "${old##*/}/$1/$arch" "$home/kernel-$1-$arch"
    index "$1"
  done
  rm -rf "${home:?}/$number/$1"
}

# settle VERSION: what was there before goes where the new modules are installed, and stays elsewhere.
settle() {
  for pair in $(pairs "$1"); do
    kernel=${pair%/*}
    changed=
    if [ ! -d "$lib/$kernel" ]; then
      rm -f "$home/kernel-$kernel-${pair#*/}"
    elif [ -d "$home/$number/$pair/module" ]; then
      for name in $(names "$1/$pair"); do
        for file in "$home/$number/$pair/module/$name".ko*; do
          [ -e "$file" ] || take_out "$kernel" "$name" "$home/$1/$pair/module"
        done
      done
      [ -z "$changed" ] || index "$kernel"
    elif [ "$1" = "$aside" ]; then
      mkdir -p "$home/$number/$kernel" && mv "$home/$1/$pair" "$home/$number/$pair"
      continue
    elif newer "$1"; then
      drop "$1" "$pair"
    else
      continue
    fi
    rm -rf "${home:?}/$1/$pair"
    rmdir "$home/$1/$kernel" 2>/dev/null || :
  done
  if [ -z "$(pairs "$1")" ] || [ "$1" = "$aside" ]; then rm -rf "${home:?}/$1"; fi
}

# install_modules KERNELS: builds and installs for them. Exit status 1 where the package manager should know: a build that
# failed for the kernel that runs or boots next, on that system itself; and anywhere what was built and not installed.
install_modules() {
  unmark
  if [ -e /etc/dkms/no-autoinstall ]; then
    say "nothing is built, as /etc/dkms/no-autoinstall is there; modules that are installed stay"
    return 0
  fi
  status=0
  unsigned=
  kernels_done=yes
  source=/usr/src/$module-$number
  log=$(TMPDIR=$scratch mktemp 2>/dev/null) || log=/dev/null
  last=$(newest)
  unite
  for version in $(strays); do
    [ "$version" = "$number" ] || [ ! -w "$home" ] || keep "$version"
  done
  if [ -d "$home/$number" ]; then mv "$home/$number" "$home/$aside"; fi
  # Empty ones, as a full disk leaves them, dkms would sign with for ever.
  for file in /var/lib/dkms/mok.key /var/lib/dkms/mok.pub; do
    [ -s "$file" ] || rm -f "$file"
  done
  [ -e "$tree" ] || mkdir -p "$tree" 2>/dev/null || :
  if call add -m "$module" -v "$number" --sourcetree /usr/src >"$log" 2>&1; then
    for kernel in $1; do
      kernel_here=$kernel
      build "$kernel"
      case $? in
      1) if ! is_image && { [ "$kernel_here" = "$(uname -r)" ] || [ "$kernel_here" = "$last" ]; }; then status=1; fi ;;
      2) status=1 ;;
      esac
    done
  else
    say "dkms does not take the sources: $(grep -m1 -i error "$log" || tail -n 1 "$log")"
    rm -rf "${home:?}/$number"
    [ ! -d "$home/$aside" ] || mv "$home/$aside" "$home/$number"
    status=1
    kernels_done=
  fi
  if [ -n "$kernels_done" ]; then
    for version in "$aside" $(kept); do
      [ "$version" = "$number" ] || settle "$version"
    done
  fi
  [ "$log" = /dev/null ] || rm -f "$log"
  index_anew
  signatures
  in_use "the running kernel has these modules loaded as they were before" "unmount, and unload them, or boot"
  return "$status"
}

# Says when the modules are not signed though kernels ask for it.
signatures() {
  for file in "$home/$number"/[0-9]*/*/module/*.ko*; do
    [ -e "$file" ] || continue
    [ -z "$(modinfo -F signer "$file" 2>/dev/null)" ] || continue
    kernel=${file#"$home/$number/"}
    kernel=${kernel%%/*}
    secure=$(od -An -t u1 /sys/firmware/efi/efivars/SecureBoot-* 2>/dev/null | awk '{ print $NF }')
    if [ "$secure" = 1 ] && ! is_image; then
      say "the modules are not signed, and Secure Boot is on: they cannot be loaded; see that openssl is there, and install again"
    elif grep -qs '^CONFIG_MODULE_SIG=y' "$lib/$kernel/build/.config"; then
      reason=${unsigned:+" ($unsigned)"}
      case $unsigned in
      *generate*) command -v openssl >/dev/null 2>&1 || reason=", as openssl is not installed" ;;
      esac
      say "the modules are not signed$reason: with Secure Boot they cannot be loaded"
    fi
    return 0
  done
}
#@end
