# SPDX-License-Identifier: GPL-2.0-or-later
# Of dkms 3.4.3, verbatim: how it reads dkms.conf and decides whether a kernel is excluded. Copyright Dell Inc. and the dkms authors.
readonly dkms_conf_variables="PACKAGE_NAME
   PACKAGE_VERSION POST_ADD POST_BUILD POST_INSTALL POST_REMOVE PRE_BUILD
   PRE_INSTALL BUILD_DEPENDS BUILD_EXCLUSIVE_ARCH BUILD_EXCLUSIVE_CONFIG
   BUILD_EXCLUSIVE_KERNEL BUILD_EXCLUSIVE_KERNEL_MIN BUILD_EXCLUSIVE_KERNEL_MAX
   build_exclude MAKE MAKE_MATCH
   PATCH PATCH_MATCH patch_array BUILT_MODULE_NAME
   built_module_name BUILT_MODULE_LOCATION built_module_location
   DEST_MODULE_NAME dest_module_name
   DEST_MODULE_LOCATION dest_module_location
   STRIP strip AUTOINSTALL NO_WEAK_MODULES BUILD_DEPENDS_REBUILD

   OBSOLETE_BY CLEAN
   REMAKE_INITRD MODULES_CONF MODULES_CONF_OBSOLETES
   MODULES_CONF_ALIAS_TYPE MODULES_CONF_OBSOLETE_ONLY"
_get_kernel_dir() {
    if [[ ! $ksourcedir_fromcli ]]; then
        KVER=$1
        DIR="$install_tree/$KVER/build"
        echo "$DIR"
    else
        echo "$kernel_source_dir"
    fi
}
mktemp_or_die() {
    local t
    t=$(mktemp "$@") && echo "$t" && return
    [[ $* = *-d* ]] && die 1 "Unable to make temporary directory."
    die 1 "Unable to make temporary file."
}
VER()
{
    # $1 = kernel version string

    # Pad all numbers in $1 so that they have at least three digits, e.g.,
    #   2.6.9-1cvs200409091247 => 002.006.009-001cvs200409091247
    # The result should compare correctly as a string.

    echo "$1" | sed -e 's:\([^0-9]\)\([0-9]\):\1 \2:g' \
        -e 's:\([0-9]\)\([^0-9]\):\1 \2:g' \
        -e 's:\(.*\): \1 :' \
        -e 's: \([0-9]\) : 00\1 :g' \
        -e 's: \([0-9][0-9]\) : 0\1 :g' \
        -e 's: ::g'
}
set_kernel_source_dir_and_kconfig()
{
    if [[ ! $ksourcedir_fromcli ]]; then
        # $1 = the kernel to base the directory on
        kernel_source_dir="$(_get_kernel_dir "$1")"
    fi
    if [[ ! $kconfig_fromcli ]]; then
        if [[ -e "${kernel_source_dir}/include/config/auto.conf" ]]; then
            kernel_config="${kernel_source_dir}/include/config/auto.conf"
        else
            kernel_config="${kernel_source_dir}/.config"
        fi
    fi
}
override_dest_module_location()
{
    local orig_location
    orig_location="$1"
    [[ ${addon_modules_dir} ]] && echo "/${addon_modules_dir}" && return

    case "$running_distribution" in
    fedora* | centos* | rhel*)
        echo "/extra" && return
        ;;
    sles* | suse* | opensuse*)
        echo "/updates" && return
        ;;
    debian* | ubuntu*)
        echo "/updates/dkms" && return
        ;;
    arch*)
        echo "/updates/dkms" && return
        ;;
    *)
        ;;
    esac
    echo "$orig_location"
}
safe_source() {
    # $1 = file to source
    # $@ = environment variables to echo out
    local to_source_file
    to_source_file="$1"; shift
    # shellcheck disable=SC2206
    # we intentionally split the string into a multi-element array
    declare -a -r export_envs=( $@ )
    # shellcheck disable=SC2034
    # false positive
    local -r CR=$(echo -e '\r')
    local tmpfile
    tmpfile=$(mktemp_or_die)
    ( exec >"$tmpfile"
    # shellcheck disable=SC1090
    . "$to_source_file" >/dev/null
    # This is really ugly, but a neat hack
    # Remember, in bash 2.0 and greater all variables are really arrays.
    local _export_env
    local _i
    local directive
    local directive_name
    local directive_value
    for _export_env in "${export_envs[@]}"; do
        # shellcheck disable=SC1083,SC2294
        for _i in $(eval echo \${!"${_export_env}"[@]}); do
            eval echo '$_export_env[$_i]=\"${'"${_export_env}"'[$_i]%$CR}\"'
        done
    done

    # handle DKMS_DIRECTIVE stuff specially.
    for directive in $(set | grep ^DKMS_DIRECTIVE | cut -d = -f 2-3); do
        directive_name=${directive%%=*}
        directive_value=${directive#*=}
        echo "$directive_name=\"$directive_value\""
    done
    )
    # shellcheck disable=SC1090
    . "$tmpfile"
    rm "${tmpfile:?}"

    (( show_deprecation_warnings )) || return
    if (( ${#CLEAN[@]} )); then
        case "$CLEAN" in
            true|/bin/true|/usr/bin/true) ;;
            *)  deprecated "CLEAN ($to_source_file)" ;;
        esac
    fi
    (( ${#REMAKE_INITRD[@]} )) && deprecated "REMAKE_INITRD ($to_source_file)"
    (( ${#MODULES_CONF[@]} )) && deprecated "MODULES_CONF ($to_source_file)"
    (( ${#MODULES_CONF_OBSOLETES[@]} )) && deprecated "MODULES_CONF_OBSOLETES ($to_source_file)"
    (( ${#MODULES_CONF_ALIAS_TYPE[@]} )) && deprecated "MODULES_CONF_ALIAS_TYPE ($to_source_file)"
    (( ${#MODULES_CONF_OBSOLETE_ONLY[@]} )) && deprecated "MODULES_CONF_OBSOLETE_ONLY ($to_source_file)"
    # shellcheck disable=SC2153
    (( ${#OBSOLETE_BY[@]} )) && deprecated "OBSOLETE_BY ($to_source_file): use BUILD_EXCLUSIVE_KERNEL_MAX instead"
}
read_conf() {
    # $1 kernel version (required)
    # $2 arch (required)
    # $3 dkms.conf location (optional)

    local return_value
    local read_conf_file
    return_value=0
    read_conf_file="$dkms_tree/$module/$module_version/source/dkms.conf"

    # Set variables supported in dkms.conf files (eg. $kernelver)
    local kernelver
    local arch
    kernelver="$1"
    arch="$2"
    set_kernel_source_dir_and_kconfig "$1"


    # Find which conf file to check
    [[ $conf ]] && read_conf_file="$conf"
    [[ $3 ]] && read_conf_file="$3"

    [[ -r $read_conf_file ]] || die 4 "Could not locate dkms.conf file." \
    "File: $read_conf_file does not exist."

    [[ $last_mvka = $module/$module_version/$1/$2 && \
    $last_mvka_conf = $(readlink -f "$read_conf_file") ]] && return


    # Clear variables and arrays
    for var in $dkms_conf_variables; do
        unset "$var"
    done

    # Source in the dkms.conf.
    # Allow for user-specified overrides in order of specificity.
    local _conf_file
    for _conf_file in \
        "$read_conf_file" \
        "/etc/dkms/$module.conf" \
        "/etc/dkms/$module-$module_version.conf" \
        "/etc/dkms/$module-$module_version-$1.conf" \
        "/etc/dkms/$module-$module_version-$1-$2.conf" \
        "/etc/dkms/$module--$1.conf" \
        "/etc/dkms/$module--$1-$2.conf" \
    ; do
        [[ -e $_conf_file ]] && safe_source "$_conf_file" "$dkms_conf_variables"
    done

    # Source in the directive_array
    for directive in "${directive_array[@]}"; do
        directive_name=${directive%%=*}
        directive_value=${directive#*=}
        export "$directive_name"="$directive_value"
        echo "DIRECTIVE: $directive_name=\"$directive_value\""
    done

    # Set variables
    package_name="$PACKAGE_NAME"
    package_version="$PACKAGE_VERSION"
    # shellcheck disable=SC2153
    post_add="$POST_ADD"
    # shellcheck disable=SC2153
    post_build="$POST_BUILD"
    # shellcheck disable=SC2153
    post_install="$POST_INSTALL"
    # shellcheck disable=SC2153
    post_remove="$POST_REMOVE"
    # shellcheck disable=SC2153
    pre_build="$PRE_BUILD"
    # shellcheck disable=SC2153
    pre_install="$PRE_INSTALL"
    # shellcheck disable=SC2153
    obsolete_by="$OBSOLETE_BY"

    # Fail if no PACKAGE_NAME
    if [[ ! $package_name ]]; then
        echo "dkms.conf: Error! No 'PACKAGE_NAME' directive specified.">&2
        return_value=1
    fi

    # Fail if no PACKAGE_VERSION
    if [[ ! $package_version ]]; then
        echo "dkms.conf: Error! No 'PACKAGE_VERSION' directive specified.">&2
        return_value=1
    fi

    # Determine number of modules
    # The arrays are possibly sparse, so use the maximum index instead of the array length
    local s
    local max_index
    max_index=-1
    # shellcheck disable=SC2153
    for s in "${!BUILT_MODULE_NAME[@]}" \
        "${!BUILT_MODULE_LOCATION[@]}" \
        "${!DEST_MODULE_NAME[@]}" \
        "${!DEST_MODULE_LOCATION[@]}"; do
        ((s > max_index)) && max_index=$s
    done
    num_modules=$((max_index + 1))

    # Set module naming/location arrays
    local index
    for ((index=0; index < num_modules; index++)); do
        # Set values
        built_module_name[index]=${BUILT_MODULE_NAME[index]}
        built_module_location[index]=${BUILT_MODULE_LOCATION[index]}
        dest_module_name[index]=${DEST_MODULE_NAME[index]}
        dest_module_location[index]=${DEST_MODULE_LOCATION[index]}
        # shellcheck disable=SC2153
        case ${STRIP[index]} in
            [nN]*)
                strip[index]="no"
                ;;
            [yY]*)
                strip[index]="yes"
                ;;
            '')
                strip[index]=${strip[0]:-yes}
                ;;
        esac

        # If unset, set by defaults
        [[ ! ${built_module_name[$index]} ]] && \
            ((num_modules == 1)) && \
            built_module_name[index]=$PACKAGE_NAME
        [[ ! ${dest_module_name[$index]} ]] && \
            dest_module_name[index]=${built_module_name[index]}
        [[ ${built_module_location[$index]} && \
            ${built_module_location[$index]:(-1)} != / ]] && \
            built_module_location[index]="${built_module_location[index]}/"

        # FAIL if no built_module_name
        if [[ ! ${built_module_name[$index]} ]]; then
            echo "dkms.conf: Error! No 'BUILT_MODULE_NAME' directive specified for record #$index." >&2
            return_value=1
        fi

        # FAIL if built_module_name ends in .o or .ko
        case ${built_module_name[$index]} in
            *.o|*.ko)
                echo "dkms.conf: Error! 'BUILT_MODULE_NAME' directive ends in '.o' or '.ko' in record #$index." >&2
                return_value=1
                ;;
        esac

        # FAIL if dest_module_name ends in .o or .ko
        case ${dest_module_name[$index]} in
            *.o|*.ko)
                echo "dkms.conf: Error! 'DEST_MODULE_NAME' directive ends in '.o' or '.ko' in record #$index." >&2
                return_value=1
                ;;
        esac

        # Override location for specific distributions
        dest_module_location[index]="$(override_dest_module_location "${dest_module_location[index]}")"

        # Fail if bad DEST_MODULE_LOCATION
        case ${DEST_MODULE_LOCATION[$index]} in
            "")
                echo "dkms.conf: Error! No 'DEST_MODULE_LOCATION' directive specified for record #$index.">&2
                return_value=1
                ;;
            /kernel*)
                ;;
            /updates*)
                ;;
            /extra*)
                ;;
            *)
                echo "dkms.conf: Error! Directive 'DEST_MODULE_LOCATION' does not begin with">&2
                echo "'/kernel', '/updates', or '/extra' in record #$index.">&2
                return_value=1
            ;;
        esac
    done

    # Array length sanity check
    for s in ${#built_module_name[@]} \
        ${#built_module_location[@]} \
        ${#dest_module_name[@]} \
        ${#dest_module_location[@]}; do
        if ((s != num_modules)); then
            echo "dkms.conf: Error! Module name/location array length mismatch.">&2
            return_value=1
        fi
    done

    # Get the correct make command
    [[ ${MAKE_MATCH[0]} ]] || make_command="${MAKE[0]}"
    for ((index=0; index < ${#MAKE[@]}; index++)); do
    [[ ${MAKE[$index]} && ${MAKE_MATCH[$index]} && \
        $1 =~ ${MAKE_MATCH[$index]} ]] && \
        make_command="${MAKE[$index]}"
    done

    # Use the generic make command if not specified
    [[ ! $make_command ]] && make_command="make -C $kernel_source_dir M=$dkms_tree/$module/$module_version/build"

    # Check if clang was used to compile or lld was used to link the kernel.
    if [[ -e $kernel_source_dir/vmlinux ]]; then
      if readelf -p .comment "$kernel_source_dir/vmlinux" 2>&1 | grep -q clang; then
        make_command="${make_command} LLVM=1"
      fi
    elif [[ -e "${kernel_config}" ]]; then
      if grep -q CONFIG_CC_IS_CLANG=y "${kernel_config}"; then
        make_command="${make_command} LLVM=1"
      fi
    fi

    # Set patch_array (including kernel specific patches)
    local count
    count=0
    for ((index=0; index < ${#PATCH[@]}; index++)); do
    if [[ ${PATCH[$index]} && (! ${PATCH_MATCH[$index]} || $1 =~ ${PATCH_MATCH[$index]}) ]]; then
        patch_array[count]="${PATCH[index]}"
        count=$((count+1))
    fi
    done

    # Set build_exclude (preserve backward compatibility for OBSOLETE_BY)
    # Only set global BUILD_EXCLUSIVE_KERNEL_MAX if obsolete_by is set and no global or per-module restrictions exist
    if [[ $obsolete_by && ! $BUILD_EXCLUSIVE_KERNEL_MAX ]]; then
        # Check if we have any per-module KERNEL_MAX restrictions
        local i has_per_module_max=false
        for ((i=0; i < num_modules; i++)); do
            [[ ${BUILD_EXCLUSIVE_KERNEL_MAX[i]} ]] && has_per_module_max=true && break
        done
        # Only set global if no per-module restrictions exist (backward compatibility)
        [[ $has_per_module_max == false ]] && BUILD_EXCLUSIVE_KERNEL_MAX=$obsolete_by
    fi

    # Function to check BUILD_EXCLUSIVE conditions for a specific module
    check_build_exclusive_for_module() {
        local module_index="$1"
        local kernel_version="$2"
        local arch="$3"

        # Set has_build_exclusive_directives if any BUILD_EXCLUSIVE directives are defined
        if [[ $BUILD_EXCLUSIVE_KERNEL || $BUILD_EXCLUSIVE_KERNEL_MIN || $BUILD_EXCLUSIVE_KERNEL_MAX || $BUILD_EXCLUSIVE_ARCH || $BUILD_EXCLUSIVE_CONFIG ]]; then
            has_build_exclusive_directives=true
        elif [[ ${BUILD_EXCLUSIVE_KERNEL[$module_index]} || ${BUILD_EXCLUSIVE_KERNEL_MIN[$module_index]} || ${BUILD_EXCLUSIVE_KERNEL_MAX[$module_index]} || ${BUILD_EXCLUSIVE_ARCH[$module_index]} || ${BUILD_EXCLUSIVE_CONFIG[$module_index]} ]]; then
            has_build_exclusive_directives=true
        fi

        # Check global BUILD_EXCLUSIVE directives (backward compatibility)
        [[ $BUILD_EXCLUSIVE_KERNEL && ! $kernel_version =~ $BUILD_EXCLUSIVE_KERNEL ]] && return 1
        [[ $BUILD_EXCLUSIVE_KERNEL_MIN && "$(VER "$kernel_version")" < "$(VER "$BUILD_EXCLUSIVE_KERNEL_MIN")" ]] && return 1
        [[ $BUILD_EXCLUSIVE_KERNEL_MAX && "$(VER "$kernel_version")" > "$(VER "$BUILD_EXCLUSIVE_KERNEL_MAX")" ]] && return 1
        [[ $BUILD_EXCLUSIVE_ARCH && ! $arch =~ $BUILD_EXCLUSIVE_ARCH ]] && return 1

        # Check per-module BUILD_EXCLUSIVE directives
        [[ ${BUILD_EXCLUSIVE_KERNEL[$module_index]} && ! $kernel_version =~ ${BUILD_EXCLUSIVE_KERNEL[$module_index]} ]] && return 1
        [[ ${BUILD_EXCLUSIVE_KERNEL_MIN[$module_index]} && "$(VER "$kernel_version")" < "$(VER "${BUILD_EXCLUSIVE_KERNEL_MIN[$module_index]}")" ]] && return 1
        [[ ${BUILD_EXCLUSIVE_KERNEL_MAX[$module_index]} && "$(VER "$kernel_version")" > "$(VER "${BUILD_EXCLUSIVE_KERNEL_MAX[$module_index]}")" ]] && return 1
        [[ ${BUILD_EXCLUSIVE_ARCH[$module_index]} && ! $arch =~ ${BUILD_EXCLUSIVE_ARCH[$module_index]} ]] && return 1

        # Check BUILD_EXCLUSIVE_CONFIG (both global and per-module)
        if [[ $BUILD_EXCLUSIVE_CONFIG && -e "${kernel_config}" ]]; then
            local kconf
            for kconf in $BUILD_EXCLUSIVE_CONFIG ; do
                case "$kconf" in
                    !*) grep -q "^${kconf#!}=[ym]" "${kernel_config}" && return 1 ;;
                    *)  grep -q "^${kconf}=[ym]" "${kernel_config}" || return 1 ;;
                esac
            done
        fi

        if [[ ${BUILD_EXCLUSIVE_CONFIG[$module_index]} && -e "${kernel_config}" ]]; then
            local kconf
            for kconf in ${BUILD_EXCLUSIVE_CONFIG[$module_index]} ; do
                case "$kconf" in
                    !*) grep -q "^${kconf#!}=[ym]" "${kernel_config}" && return 1 ;;
                    *)  grep -q "^${kconf}=[ym]" "${kernel_config}" || return 1 ;;
                esac
            done
        fi

        return 0
    }

    # Check if any module should be excluded from build
    build_exclude=""
    buildable_modules=0
    has_build_exclusive_directives=false

    for ((index=0; index < num_modules; index++)); do
        if check_build_exclusive_for_module "$index" "$1" "$2"; then
            ((buildable_modules++))
        fi
    done

    # If no modules can be built and BUILD_EXCLUSIVE directives are defined, set build_exclude to fail the entire build
    if [[ $buildable_modules -eq 0 && $has_build_exclusive_directives = true ]]; then
        build_exclude="yes"
    fi

    # Helper function to check yes/no values
    check_yes_no_value() {
        local var_name="$1"
        local var_value="$2"
        case "$var_value" in
            "")
                ;;
            [Yy][Ee][Ss])
                ;;
            [Nn][Oo])
                eval "$var_name=''"
                ;;
            *)
                echo "dkms.conf: Error! Unsupported $var_name value '$var_value'" >&2
                return_value=1
                ;;
        esac
    }

    # Check for allowed values in boolean variables
    check_yes_no_value "AUTOINSTALL" "$AUTOINSTALL"
    check_yes_no_value "BUILD_DEPENDS_REBUILD" "$BUILD_DEPENDS_REBUILD"
    check_yes_no_value "NO_WEAK_MODULES" "$NO_WEAK_MODULES"

    ((return_value == 0)) && last_mvka="$module/$module_version/$1/$2" && last_mvka_conf="$(readlink -f "$read_conf_file")"
    return $return_value
}
