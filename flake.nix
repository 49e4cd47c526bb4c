{
  description = "Start programs built for another Linux with libraries from /nix/store";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEachSystem = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      packageFor = pkgs: pkgs.callPackage ./nix/package.nix { };
      appOf = package: name: {
        type = "app";
        program = "${package}/bin/${name}";
      };
    in
    {
      packages = forEachSystem (pkgs: rec {
        nix-run-foreign = packageFor pkgs;
        default = nix-run-foreign;
      });

      apps = forEachSystem (pkgs: rec {
        nix-run-foreign = appOf (packageFor pkgs) "nix-run-foreign";
        nix-foreign = appOf (packageFor pkgs) "nix-foreign";
        default = nix-run-foreign;
      });

      # The package's own check starts the launcher.
      checks = forEachSystem (pkgs: {
        package = packageFor pkgs;
        vm = pkgs.callPackage ./nix/vm-test.nix { };
      });

      overlays.default = import ./nix/overlay.nix;
      nixosModules.default = ./nix/nixos-module.nix;
      homeModules.default = ./nix/home-manager-module.nix;
      # The name before `homeModules`.
      homeManagerModules = self.homeModules;
    };
}
