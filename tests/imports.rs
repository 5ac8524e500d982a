//! Checks the architecture of `src/`: a file imports only files below it, and no files import each other in a circle.
//! `CONTRIBUTING.md` explains the order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// The folders and files of `src/`. Each may import only those below it.
const ORDER: [&str; 17] = [
    "bin",
    "ffi",
    "tower",
    "factory",
    "subject",
    "libraries",
    "session",
    "config",
    "record",
    "store",
    "cookie",
    "payload",
    "options",
    "load",
    "error",
    "json",
    "sys",
];

/// The path of a module in the crate, for example `["store", "redis", "url"]`.
type Module = Vec<String>;

/// The file of each module, and the modules that each module imports.
struct Source {
    files: BTreeMap<Module, PathBuf>,
    imports: BTreeMap<Module, BTreeSet<Module>>,
}

/// The paths to other modules in a file, without its tests.
#[derive(Default)]
struct Paths {
    /// The paths of imports, and all other paths of more than one segment.
    used: Vec<Vec<String>>,
    /// Names that the file re-exports, and their paths.
    exported: BTreeMap<String, Vec<String>>,
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && {
            let condition = attribute.meta.require_list().unwrap().tokens.to_string();
            condition == "test" || condition.starts_with("all (test") || condition.starts_with("all(test")
        }
    })
}

impl<'a> Visit<'a> for Paths {
    fn visit_item(&mut self, item: &'a Item) {
        match item {
            Item::Mod(module) if is_test(&module.attrs) => {}
            Item::Fn(function) if is_test(&function.attrs) => {}
            Item::Use(import) if is_test(&import.attrs) => {}
            Item::Use(import) => {
                let mut found = Vec::new();
                flatten(&import.tree, &mut Vec::new(), &mut found);
                for (name, path) in found {
                    match import.vis {
                        syn::Visibility::Inherited => self.used.push(path),
                        _ => drop(self.exported.insert(name, path)),
                    }
                }
            }
            _ => visit::visit_item(self, item),
        }
    }

    // The path in `pub(in path)` is not an import.
    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}

    fn visit_path(&mut self, path: &'a syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.used.push(segments); // `target` ignores paths to other crates and to local types.
        }
        visit::visit_path(self, path);
    }
}

/// Adds the names that an import defines, and their paths, to `found`. `before` is the path before this tree.
fn flatten(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<(String, Vec<String>)>) {
    let with = |name: String| before.iter().cloned().chain([name]).collect::<Vec<_>>();
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, found)),
        UseTree::Name(name) if name.ident == "self" => found.push((before.last().unwrap().clone(), before.clone())),
        UseTree::Name(name) => found.push((name.ident.to_string(), with(name.ident.to_string()))),
        UseTree::Rename(rename) => found.push((rename.rename.to_string(), with(rename.ident.to_string()))),
        UseTree::Glob(_) => found.push(("*".to_owned(), before.clone())),
    }
}

impl Source {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = BTreeMap::new();
        list(&root, &mut Vec::new(), &mut files);
        let mut paths = BTreeMap::new();
        let mut for_tests = BTreeSet::new();
        for (module, file) in &files {
            let parsed = syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap();
            for item in &parsed.items {
                if let Item::Mod(child) = item
                    && child.content.is_none()
                    && is_test(&child.attrs)
                {
                    for_tests.insert(module.iter().cloned().chain([child.ident.to_string()]).collect::<Module>());
                }
            }
            let mut found = Paths::default();
            found.visit_file(&parsed);
            paths.insert(module.clone(), found);
        }
        let is_for_tests = |module: &Module| for_tests.iter().any(|test| module.starts_with(test));
        files.retain(|module, _| !is_for_tests(module));
        let mut source = Self { files, imports: BTreeMap::new() };
        for module in source.files.keys().cloned().collect::<Vec<_>>() {
            let targets = paths[&module].used.iter().filter_map(|path| source.target(&module, path, &paths));
            let targets = targets.filter(|target| *target != module).collect();
            source.imports.insert(module, targets);
        }
        source
    }

    /// The module that defines what a path names. Re-exports are followed. `None` for another crate or a local name.
    fn target(&self, from: &Module, path: &[String], paths: &BTreeMap<Module, Paths>) -> Option<Module> {
        let mut rest = path.iter().cloned().peekable();
        let mut at = match rest.peek().map(String::as_str) {
            Some("crate") => {
                rest.next();
                Vec::new()
            }
            Some("self") => {
                rest.next();
                from.clone()
            }
            Some("super") => from.clone(),
            // The path may also begin with a child module.
            _ if self.files.contains_key(&[from.clone(), vec![path[0].clone()]].concat()) => from.clone(),
            _ => return None,
        };
        while rest.next_if(|segment| segment == "super").is_some() {
            at.pop();
        }
        while let Some(segment) = rest.next() {
            let child = [at.clone(), vec![segment.clone()]].concat();
            if self.files.contains_key(&child) {
                at = child;
                continue;
            }
            if let Some(exported) = paths.get(&at).and_then(|paths| paths.exported.get(&segment)) {
                let whole: Vec<_> = exported.iter().cloned().chain(rest).collect();
                return self.target(&at, &whole, paths);
            }
            break;
        }
        (!at.is_empty() && self.files.contains_key(&at)).then_some(at)
    }
}

/// Adds the files of a folder to `files`.
fn list(folder: &Path, module: &mut Module, files: &mut BTreeMap<Module, PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            module.push(name);
            list(&path, module, files);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "lib" {
            let child = if name == "mod" { module.clone() } else { [module.clone(), vec![name]].concat() };
            files.insert(child, path);
        }
    }
}

#[test]
fn a_file_imports_only_what_is_below_it() {
    let source = Source::read();
    let place = |module: &Module| {
        ORDER.iter().position(|name| *name == module[0]).unwrap_or_else(|| panic!("ORDER has no {}", module[0]))
    };
    let mut wrong = Vec::new();
    for (module, targets) in &source.imports {
        for target in targets.iter().filter(|target| place(module) > place(target)) {
            wrong.push(format!("{} imports {}, which is above it", module.join("::"), target.join("::")));
        }
    }
    assert!(source.imports.len() > 80 && source.imports.values().map(BTreeSet::len).sum::<usize>() > 300);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_tower_layer_imports_only_what_the_crate_exports() {
    let source = Source::read();
    let modules: Vec<_> = source.imports.iter().filter(|(module, _)| module[0] == "tower").collect();
    assert!(modules.len() > 4);
    for (module, targets) in modules {
        // An item that the crate exports at its root is not in a module.
        let private: Vec<_> = targets.iter().filter(|target| target[0] != "tower").collect();
        assert!(private.is_empty(), "{} imports {private:?}", module.join("::"));
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let source = Source::read();
    // Remove files that import no remaining file, until only circles and the files that lead to them remain.
    let mut left = source.imports.clone();
    loop {
        let ends: Vec<_> =
            left.iter().filter(|(_, targets)| targets.is_empty()).map(|(module, _)| module.clone()).collect();
        if ends.is_empty() {
            break;
        }
        for end in ends {
            left.remove(&end);
            left.values_mut().for_each(|targets| targets.retain(|target| *target != end));
        }
    }
    // Remove files that no remaining file imports, so that only circles remain.
    loop {
        let imported: BTreeSet<Module> = left.values().flatten().cloned().collect();
        let before = left.len();
        left.retain(|module, _| imported.contains(module));
        if left.len() == before {
            break;
        }
    }
    let lines = left.iter().map(|(module, targets)| {
        let targets: Vec<_> = targets.iter().map(|target| target.join("::")).collect();
        format!("{} -> {}", module.join("::"), targets.join(", "))
    });
    let lines: Vec<_> = lines.collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}
