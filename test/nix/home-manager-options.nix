# The options of home-manager that the module sets; `zshOption` is what a version calls the text of .zshrc.
{ zshOption }:
{ lib, ... }:

let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
in
{
  options = {
    home.packages = option (types.listOf types.package) [ ];
    home.sessionVariables = option (types.attrsOf types.str) { };
    home.sessionVariablesExtra = option types.lines "";
    xdg.dataHome = option types.path "/home/tester/.local/share";
    xdg.configFile = option (types.attrsOf (
      types.submodule { options.source = mkOption { type = types.path; }; }
    )) { };
    programs.bash.initExtra = option types.lines "";
    programs.zsh.${zshOption} = option types.lines "";
    programs.fish.interactiveShellInit = option types.lines "";
  };
}
