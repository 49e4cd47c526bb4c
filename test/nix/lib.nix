# A stand-in for nixpkgs' lib, as far as nix/ uses it: options, conditions, priorities and order as the nixpkgs and NixOS
# manuals describe them. An option that nobody declared and a value of another type are errors.
let
  inherit (builtins)
    all
    attrNames
    concatLists
    concatMap
    elem
    filter
    foldl'
    isAttrs
    isFunction
    isList
    length
    listToAttrs
    map
    sort
    ;

  fail = message: throw "stand-in: ${message}";

  isTagged = tag: value: isAttrs value && value._type or "" == tag;
  isOption = isTagged "option";

  # A definition for a set of options → definitions without conditions around them. Conditions move inwards, so that
  # they are only looked at for an option that is asked for.
  pushDown =
    value:
    if isTagged "merge" value then
      concatMap pushDown value.contents
    else if isTagged "if" value then
      map (each: builtins.mapAttrs (_: content: value // { inherit content; }) each) (
        pushDown value.content
      )
    else if isTagged "override" value || isTagged "order" value then
      map (each: builtins.mapAttrs (_: content: value // { inherit content; }) each) (
        pushDown value.content
      )
    else
      [ value ];

  # A definition of one option → what is left of it, with its priority and order.
  discharge =
    { priority, order }@rank: value:
    if isTagged "merge" value then
      concatMap (discharge rank) value.contents
    else if isTagged "if" value then
      if value.condition then discharge rank value.content else [ ]
    else if isTagged "override" value then
      discharge (rank // { inherit (value) priority; }) value.content
    else if isTagged "order" value then
      discharge (rank // { inherit (value) order; }) value.content
    else
      [ (rank // { inherit value; }) ];

  least = foldl' (left: right: if right < left then right else left) 100000;

  # One option and what is said of it → its value.
  resolve =
    where: option: definitions:
    let
      said = concatMap (discharge {
        priority = 100;
        order = 1000;
      }) definitions;
      strongest = least (map (each: each.priority) said);
      counting = filter (each: each.priority == strongest) said;
      values = map (each: each.value) (sort (left: right: left.order < right.order) counting);
      wrong = filter (value: !(option.type.check value)) values;
    in
    if said == [ ] then
      if option ? default then
        option.type.merge where [ option.default ]
      else
        fail "${where} is used but not defined"
    else if wrong != [ ] then
      fail "${where} is not of type ${option.type.name}"
    else
      option.type.merge where values;

  # A tree of options and the definitions for it → the tree of values.
  walk =
    where: options: definitions:
    let
      flat = concatMap pushDown definitions;
      unknown = filter (name: !(options ? ${name})) (concatMap attrNames flat);
      inner = name: concatMap (each: if each ? ${name} then [ each.${name} ] else [ ]) flat;
      below = name: if where == "" then name else "${where}.${name}";
    in
    if unknown != [ ] then
      fail "there is no option ${below (builtins.head unknown)}"
    else
      builtins.mapAttrs (
        name: option: (if isOption option then resolve else walk) (below name) option (inner name)
      ) options;

  mergeTrees =
    left: right:
    left
    // builtins.mapAttrs (
      name: value:
      if !(left ? ${name}) then
        value
      else if isOption value || isOption left.${name} then
        fail "option ${name} is declared twice"
      else
        mergeTrees left.${name} value
    ) right;

  evalModules =
    {
      modules,
      where ? "",
      specialArgs ? { },
    }:
    let
      collect =
        module:
        let
          loaded = if isFunction module || isAttrs module then module else import module;
          set = if isFunction loaded then loaded (specialArgs // { inherit config options lib; }) else loaded;
        in
        [ set ] ++ concatMap collect (set.imports or [ ]);
      all = concatMap collect modules;
      options = foldl' mergeTrees { } (map (module: module.options or { }) all);
      configOf =
        module:
        if module ? config || module ? options then
          module.config or { }
        else
          removeAttrs module [ "imports" ];
      config = walk where options (map configOf all);
    in
    {
      inherit config options;
    };

  # Whatever `import`s of nix/ may ask of lib, and nothing else.
  lib = {
    inherit evalModules isOption;
    inherit (builtins)
      elem
      filter
      listToAttrs
      mapAttrs
      replaceStrings
      ;
    last = list: builtins.elemAt list (length list - 1);
    splitString =
      separator: text: filter builtins.isString (builtins.split separator text);
    optionalAttrs = condition: set: if condition then set else { };
    types = import ./types.nix { inherit evalModules fail; };
    mkOption = option: option // { _type = "option"; };
    mkEnableOption =
      name:
      lib.mkOption {
        type = lib.types.bool;
        default = false;
        description = "Whether to enable ${name}.";
      };
    mkIf = condition: content: {
      _type = "if";
      inherit condition content;
    };
    mkMerge = contents: {
      _type = "merge";
      inherit contents;
    };
    mkOverride = priority: content: {
      _type = "override";
      inherit priority content;
    };
    mkDefault = lib.mkOverride 1000;
    mkForce = lib.mkOverride 50;
    mkOrder = order: content: {
      _type = "order";
      inherit order content;
    };
    mkBefore = lib.mkOrder 500;
    mkAfter = lib.mkOrder 1500;
    literalExpression = text: {
      _type = "literalExpression";
      inherit text;
    };
    optional = condition: value: if condition then [ value ] else [ ];
    filterAttrs =
      keep: set:
      removeAttrs set (filter (name: !(keep name set.${name})) (attrNames set));
    # nixpkgs manual, "lib.attrsets": the output of that name.
    getDev = package: package;
    getLib = package: package;
    genAttrs =
      names: make:
      listToAttrs (
        map (name: {
          inherit name;
          value = make name;
        }) names
      );
    importJSON = file: builtins.fromJSON (builtins.readFile file);
    removePrefix =
      prefix: text:
      let
        size = builtins.stringLength prefix;
      in
      if builtins.substring 0 size text == prefix then builtins.substring size (-1) text else text;
    licenses.mit.spdxId = "MIT";
    sourceTypes.binaryNativeCode.shortName = "binaryNativeCode";
    cleanSourceWith =
      {
        src,
        filter,
        name,
      }:
      builtins.path {
        inherit name filter;
        path = src;
      };
  };
in
lib
