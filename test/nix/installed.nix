# nix/package.nix, built by Nix with a stand-in for buildNpmPackage, for a root that has these store paths only.
{
  # The store object with bin/node, and a shell of the store.
  nodejs,
  shell,
  # On the host: a directory of npm packages, and npm's own script.
  nodeModules,
  npmScript,
}:

let
  pkgs = import ./nixpkgs.nix { };
  node = builtins.storePath nodejs;
in
pkgs.callPackage ../../nix/package.nix {
  # A set, as the packages of nixpkgs are.
  nodejs_24 = {
    type = "derivation";
    name = "nodejs-24";
    outPath = node;
  };
  buildNpmPackage =
    {
      pname,
      version,
      src,
      npmPackFlags,
      buildPhase,
      postInstall,
      installCheckPhase,
      ...
    }:
    derivation {
      inherit
        pname
        version
        src
        npmPackFlags
        buildPhase
        postInstall
        installCheckPhase
        nodeModules
        npmScript
        ;
      name = "${pname}-${version}";
      system = builtins.currentSystem;
      builder = "/bin/sh";
      args = [
        "-eu"
        ./build-npm-package.sh
      ];
      nodejs = node;
      shell = "${builtins.storePath (dirOf (dirOf shell))}/bin/${baseNameOf shell}";
      PATH = "${node}/bin:/usr/local/bin:/usr/bin:/bin";
    };
}
