# SPDX-License-Identifier: GPL-2.0-only
#
# Stands for the macros that kernel-rpm-macros brings on Enterprise Linux and Fedora, for rpmspec. Our specs write their
# kmod packages themselves: whatever calls one of these fails. Of that package they want the generators alone, which turn
# symbols into requirements when a package is built.

%kernel_module_package(n:v:r:s:f:xp:) %{error:kernel_module_package is called}
%kernel_module_package_buildreqs %{error:kernel_module_package_buildreqs is used}
%kernel_source() %{error:kernel_source is used}
%kernel_version %{error:kernel_version is used}
%kverrel %{error:kverrel is used}
%flavors_to_build %{error:flavors_to_build is used}
