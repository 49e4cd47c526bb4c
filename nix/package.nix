# The sources → nix-foreign, and nix-run-foreign compiled by stdenv's cc, for 32-bit programs too where that can.
{
  lib,
  buildNpmPackage,
  importNpmLock,
  nodejs_24,
  stdenv,
}:

let
  inherit (lib.importJSON ../package.json) version description;
  top = toString ../. + "/";

  # package-lock.json has the hash of every package, and names no registry.
  lock = lib.importJSON ../package-lock.json;
  withAddress =
    path: each:
    let
      name = each.name or (lib.last (lib.splitString "node_modules/" path));
      archive = "${baseNameOf name}-${each.version}.tgz";
    in
    each
    // lib.optionalAttrs (path != "") {
      resolved = "https://registry.npmjs.org/${name}/-/${archive}";
    };

  # Not tracked by git, or of no use to the package.
  leftOut = [
    ".git"
    ".rig"
    "bin/nix-foreign"
    "bin/nix-run-foreign"
    "build"
    "dist"
    "flake.nix"
    "nix"
    "node_modules"
    "test"
  ];
in
buildNpmPackage {
  pname = "nix-run-foreign";
  inherit version;

  src = lib.cleanSourceWith {
    name = "nix-run-foreign-${version}-source";
    src = ../.;
    filter = path: _: !(lib.elem (lib.removePrefix top (toString path)) leftOut);
  };

  nodejs = nodejs_24;

  # By the hashes in package-lock.json, so that none has to be kept here.
  npmDeps = importNpmLock {
    npmRoot = ../.;
    packageLock = lock // {
      packages = lib.mapAttrs withAddress lock.packages;
    };
  };
  npmConfigHook = importNpmLock.npmConfigHook;

  # The npm package `node` would download a Node, which nothing here uses.
  npmRebuildFlags = [ "--ignore-scripts" ];
  npmPackFlags = [ "--ignore-scripts" ];
  # Nothing of node_modules is installed: the bundle holds all it needs.
  dontNpmPrune = true;

  # Not `npm run build`: it looks for Node in node_modules first.
  buildPhase = ''
    runHook preBuild
    ${nodejs_24}/bin/node scripts/build.ts
    runHook postBuild
  '';

  # The launcher is freestanding: what hardening adds needs a C library.
  hardeningDisable = [ "all" ];
  dontStrip = true;
  dontPatchELF = true;

  postInstall = ''
    package=$out/lib/node_modules/nix-run-foreign
    rm -rf $package/node_modules
    # The launchers find the script beside them, and Node by this link.
    ln -s ${nodejs_24}/bin/node $package/dist/node
    launcher=dist/${stdenv.hostPlatform.system}/nix-run-foreign
    ln -sfn ../lib/node_modules/nix-run-foreign/$launcher $out/bin/nix-run-foreign
    if [ -d $package/dist/man ] && [ ! -e $out/share/man/man1 ]; then
      mkdir -p $out/share/man
      ln -s $package/dist/man $out/share/man/man1
    fi
  '';

  doInstallCheck = true;
  installCheckPhase = ''
    runHook preInstallCheck
    test "$($out/bin/nix-run-foreign --version)" = "nix-run-foreign ${version}"
    runHook postInstallCheck
  '';

  meta = {
    inherit description;
    license = lib.licenses.mit;
    mainProgram = "nix-run-foreign";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}
