// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Auditor
import Diagnostics
import Distributions
import Files
import Model
import Operations
import Packagers
import Processes
import Qualifier
import Releases
import Verdicts

/// The remedies of libraries, worded for the command line.
///
/// RemedyTests check that each kind of remedy is here, and that each named option exists.
enum Remedies {
  static func words(for remedy: any Remedy) -> String {
    switch remedy {
    case let remedy as SystemRemedy: words(remedy)
    case let remedy as FilesRemedy: words(remedy)
    case let remedy as ProcessesRemedy: words(remedy)
    case let remedy as ModelRemedy: words(remedy)
    case let remedy as ReleasesRemedy: words(remedy)
    case let remedy as AssemblerRemedy: words(remedy)
    case let remedy as DistributionsRemedy: words(remedy)
    case let remedy as PackagersRemedy: words(remedy)
    case let remedy as VerdictsRemedy: words(remedy)
    case let remedy as AuditorRemedy: words(remedy)
    case let remedy as QualifierRemedy: words(remedy)
    case let remedy as OperationsRemedy: words(remedy)
    default: remedy.words ?? ""
    }
  }

  /// Whether the running command has an option: no command advises one of another.
  @TaskLocal static var has: @Sendable (_ option: String) -> Bool = RunningCommand.has

  private static func words(_ remedy: SystemRemedy) -> String {
    // Commands without --output write beside the release.
    let isChosen = has("--output")
    return switch remedy {
    case .freeSpace:
      isChosen
        ? "free some space there, or write elsewhere (--output, and TMPDIR for work in progress)"
        : "free some space there, or set TMPDIR if that is where work in progress is"
    case .chooseWritableFolder:
      isChosen
        ? "choose a folder that can be written (--output, and TMPDIR for work in progress)"
        : "make that place writable, or use another"
    }
  }

  private static func words(_ remedy: FilesRemedy) -> String {
    switch remedy {
    case .chooseCacheWithLocks: "give a --cache on a file system that has locks"
    case .chooseOwnCache: "remove it, or give a --cache of your own"
    }
  }

  private static func words(_ remedy: ProcessesRemedy) -> String {
    switch remedy {
    case .allowNamespaces(let obstacle): words(obstacle) + (has("--sandbox") ? ", or give --sandbox none" : "")
    case .useSandbox: "leave out --sandbox none"
    }
  }

  private static func words(_ obstacle: Sandbox.Obstacle) -> String {
    switch obstacle {
    case .limit: "raise the sysctl user.max_user_namespaces from 0"
    case .debian: "set the sysctl kernel.unprivileged_userns_clone to 1"
    case .appArmor:
      "give bwrap an AppArmor profile with userns, or set the sysctl "
        + "kernel.apparmor_restrict_unprivileged_userns to 0"
    case .container:
      "let the container make namespaces (docker: seccomp=unconfined, apparmor=unconfined and SYS_ADMIN)"
    }
  }

  private static func words(_ remedy: ModelRemedy) -> String {
    switch remedy {
    case .makePlan: "make one with 'lrelease plan'"
    case .givePlanAsPlan: "'lrelease cut --plan FILE' takes a saved plan"
    case .listTargets: "'lrelease targets' lists them"
    }
  }

  private static func words(_ remedy: ReleasesRemedy) -> String {
    switch remedy {
    case .chooseOtherOutput: "choose another --output"
    case .nameReleaseFolder: "name a folder that 'lrelease cut' has made"
    case .getTarballAgain:
      "get the tarball again; vendors change releases with 'lrelease rebuild --patches SERIES --vendor NAME'"
    case .nameSigner: "name its fingerprint with --signer too, if you trust it"
    case .replaceSignatures: "keep it, or give --replace to sign it again"
    }
  }

  private static func words(_ remedy: AssemblerRemedy) -> String {
    switch remedy {
    case .giveFolder: "check the path, or give another with --source NAME=PATH"
    case .giveSource(let name): "give --source \(name)=PATH_OR_URL"
    case .giveSameSource(let name): "give the same one with --source \(name)=PLACE, or make a new plan"
    case .sayWhereSourceIs(let name): "say where it is with --source \(name)=PLACE"
    case .giveOwnRepository: "check the address, or give a clone of your own with --source NAME=PATH"
    case .giveRef(let name): "give --ref \(name)=TAG, or add ref = \"…\" to it in the manifest"
    case .tryFetchAgain: "try again (the fetch resumes), or get the file yourself and give it with --source NAME=PATH"
    case .checkAddress: "check the address, or get the file yourself and give it with --source NAME=PATH"
    case .giveCandidate(let name, let release):
      "give --source \(name)=PLACE: a git repository with the signed tag v\(release), or the tarball, which nobody signs, "
        + "from https://git.kernel.org/torvalds/t/linux-\(release).tar.gz"
    case .chooseCacheWithSpace: "free some space there, or choose another folder with --cache"
    case .sayWhereVersionIs(let name):
      "say where the version is with version-from = { … } in [sources.\(name)]; see docs/manifest.md"
    case .nameTagOfVersion(let name):
      "name a tag with --ref \(name)=TAG, or say in version-from which file has the version"
    case .giveCheckout(let name):
      "exclude it in the manifest, or give a folder that 'git lfs pull' has filled with --source \(name)=PATH"
    case .giveSignatureOrHash:
      "put it there, give a hash that you trust with --sha256 NAME=DIGEST, or give --allow-unsigned"
    case .giveSignedTag: "name a signed tag, or give --allow-unsigned"
    case .giveSignedTarball: "give the tarball, or --allow-unsigned"
    case .nameKernel: "give --kernel VERSION"
    case .nameKernelOrSource(let name): "give --kernel VERSION, or --source \(name)=linux-VERSION.tar.xz"
    case .giveTreeOfKernel: "give the tree that belongs to --kernel"
    case .addExtra(let name): "give --with \(name) too"
    case .leaveOutExtra(let name): "leave out --with \(name)"
    case .leaveOutSource: "what the release has comes from its tarball: leave it out, or give --with EXTRA"
    case .nameVendor: "name the vendor with --vendor NAME"
    case .giveNumber(let number): "give --number \(number), or leave it out"
    }
  }

  private static func words(_ remedy: DistributionsRemedy) -> String {
    switch remedy {
    case .freeSpaceInCache: "free some space, or give another --cache"
    case .listRoots: "'lrelease roots' lists them"
    case .chooseOtherCache: "give a --cache on another file system"
    case .removeRoot(let name):
      "remove it with 'lrelease roots --remove \(name)'" + (has("--refresh") ? ", or give --refresh" : "")
        + "; then it is made anew"
    }
  }

  private static func words(_ remedy: PackagersRemedy) -> String {
    switch remedy {
    case .giveTargetKernels: "add kernels to the target, or leave out --modules"
    case .replacePackages: "give --replace or another --output"
    }
  }

  private static func words(_ remedy: VerdictsRemedy) -> String {
    switch remedy {
    case .qualify: "'lrelease qualify' makes RELEASE.qualification"
    }
  }

  private static func words(_ remedy: AuditorRemedy) -> String {
    switch remedy {
    case .giveOtherManifest: "give a manifest that has it with --manifest FILE"
    case .giveManifest: "give its manifest with --manifest FILE"
    case .giveReleaseOrTree: "give a release tarball, a release folder, or a folder with --manifest"
    case .leaveOutRef: "leave --ref out"
    case .leaveOutProbes: "set the prefix of their names in [audit.probes], or leave --probes out"
    case .makeReport: "make one with 'lrelease audit --json'"
    }
  }

  private static func words(_ remedy: QualifierRemedy) -> String {
    switch remedy {
    case .nameKernel: "give --kernel RELEASE"
    case .qualifyUpToBuild: "qualify it with --level build"
    case .qualifyUpToCompiled: "qualify it with --level compiled, without --life"
    case .leaveFolderToQualify: "only 'lrelease qualify' makes such folders"
    case .giveOptionOfSbatch: "--slurm-option gives sbatch what this cluster asks for"
    }
  }

  private static func words(_ remedy: OperationsRemedy) -> String {
    switch remedy {
    case .giveRespin: "give --respin N for a new one; a release is never changed"
    case .giveNumber: "give --number N for a new one"
    case .useSameLrelease: "use the lrelease that made the release, or make a changed release with --vendor NAME"
    case .replaceManifest: "give --replace to replace it, or another --output"
    case .chooseOtherManifestFolder: "choose another --output, or move that file away"
    case .nameCode: "name a folder with code, or give a kernel with --source linux=PATH and --module-folder"
    case .nameModuleFolder: "name the folder of the makefile with --module-folder, or write one"
    case .nameFolderOfKernel: "give the folders of the modules with --module-folder, such as fs/ceph"
    case .listFiles(let name): "'lrelease show \(name)' lists its files"
    case .signRelease: "sign it with 'lrelease sign', or choose another --output to sign its .rpm files too"
    }
  }
}
