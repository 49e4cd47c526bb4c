# A module of nix/ and what a user says of it → its options, and what becomes of the system's options.
{
  # `nixos`, `home-manager`, or `home-manager-24` for one that knows no initContent.
  kind,
  # The user's own module.
  said,
  system ? "x86_64-linux",
  # Whether the overlay of nix-index-database is there.
  withIndex ? false,
  # Of nixpkgs.
  release ? "26.05",
}:

let
  nixpkgs = import ./nixpkgs.nix { inherit system release; };
  database = {
    nix-index-database = "/nix/store/11111111111111111111111111111111-index-${system}";
  };
  pkgs = nixpkgs // (if withIndex then database else { });
  inherit (pkgs) lib;
  homeManager = zshOption: [
    ../../nix/home-manager-module.nix
    (import ./home-manager-options.nix { inherit zshOption; })
  ];
  base = {
    nixos = [
      ../../nix/nixos-module.nix
      ./nixos-options.nix
    ];
    home-manager = homeManager "initContent";
    home-manager-24 = homeManager "initExtra";
  };
  evaluated = lib.evalModules {
    modules = base.${kind} ++ [ said ];
    specialArgs = { inherit pkgs; };
  };

  describe =
    options:
    builtins.mapAttrs (
      _: option:
      if !(lib.isOption option) then
        describe option
      else
        {
          type = option.type.name;
          described = option ? description;
          inner = describe option.type.subOptions;
          default = option.defaultText.text or (shown option.default);
        }
    ) options;

  # Derivations become their names, or the text that they would hold.
  shown =
    value:
    if builtins.isAttrs value && value.type or "" == "derivation" then
      value.text or value.outPath
    else if builtins.isAttrs value then
      builtins.mapAttrs (_: shown) value
    else if builtins.isList value then
      map shown value
    else
      value;
in
{
  options = describe evaluated.options.programs.nix-run-foreign;
  config = shown evaluated.config;
}
