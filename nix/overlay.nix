# nixpkgs → nixpkgs with nix-run-foreign.
final: _: {
  nix-run-foreign = final.callPackage ./package.nix { };
}
