# The module system's types, as far as nix/ uses them: whether a value fits, and how several definitions become one.
# A stand-in for nixpkgs' lib/types.nix, from its description in the nixpkgs manual ("Types").
{ evalModules, fail }:

let
  inherit (builtins)
    all
    attrNames
    concatLists
    concatStringsSep
    elem
    head
    isAttrs
    isBool
    isFloat
    isInt
    isList
    isString
    length
    listToAttrs
    map
    match
    tail
    ;

  same =
    where: values:
    if all (value: value == head values) values then
      head values
    else
      fail "${where}: conflicting definitions";

  simple = name: check: {
    inherit name check;
    merge = same;
    subOptions = { };
  };

  isDerivation = value: isAttrs value && value.type or "" == "derivation";
  isPathLike = value: builtins.isPath value || isDerivation value || isString value && match "/.*" value != null;
in
rec {
  bool = simple "bool" isBool;
  int = simple "int" isInt;
  str = simple "str" isString;
  path = simple "path" isPathLike;
  package = simple "package" isDerivation;
  strMatching = pattern: simple "strMatching" (value: isString value && match pattern value != null);
  lines = str // {
    name = "lines";
    merge = _: concatStringsSep "\n";
  };
  enum =
    allowed: simple "enum ${builtins.toJSON allowed}" (value: elem value allowed);
  numbers.between =
    low: high:
    simple "number between ${toString low} and ${toString high}" (
      value: (isInt value || isFloat value) && value >= low && value <= high
    );
  anything = simple "anything" (_: true);
  addCheck =
    type: further:
    type
    // {
      check = value: type.check value && further value;
    };
  nullOr = type: {
    name = "nullOr ${type.name}";
    check = value: value == null || type.check value;
    merge = where: values: if all (value: value == null) values then null else type.merge where values;
    subOptions = { };
  };
  either = first: second: {
    name = "either ${first.name} or ${second.name}";
    check = value: first.check value || second.check value;
    merge = where: values: (if all first.check values then first else second).merge where values;
    subOptions = { };
  };
  listOf = type: {
    name = "listOf ${type.name}";
    check = value: isList value && all type.check value;
    merge = _: concatLists;
    subOptions = { };
  };
  attrsOf = type: {
    name = "attrsOf ${type.name}";
    check = value: isAttrs value && all (name: type.check value.${name}) (attrNames value);
    merge =
      where: values:
      let
        names = attrNames (builtins.foldl' (left: right: left // right) { } values);
        valuesOf = name: concatLists (map (value: if value ? ${name} then [ value.${name} ] else [ ]) values);
      in
      listToAttrs (
        map (name: {
          inherit name;
          value = type.merge "${where}.${name}" (valuesOf name);
        }) names
      );
    subOptions = { };
  };
  submodule = module: {
    name = "submodule";
    check = isAttrs;
    merge =
      where: values:
      (evalModules {
        inherit where;
        modules = [ module ] ++ map (config: { inherit config; }) values;
      }).config;
    subOptions = module.options;
  };
}
