//! Which modules of a package name which, read with `syn`: for `tidy`.
//!
//! A name that a module passes on (`pub use`) leads to where it is defined, and passing it on is no
//! use of it. What is compiled for tests alone is not looked at.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree, Visibility};

use crate::source::File;

/// The macro that declares a module for each of its lines.
const LIST: &str = "agents";

/// Names from the crate's root on.
type Path = Vec<String>;

/// What one file names.
#[derive(Debug, Default)]
pub(crate) struct Named {
    module: Path,
    /// The inline modules that are being looked at.
    inside: Path,
    /// The modules that it declares in files of their own.
    children: BTreeSet<String>,
    /// Of those, what is for tests alone.
    tests: BTreeSet<String>,
    uses: Vec<Use>,
    /// Every path that is no import, from the root on.
    paths: Vec<Path>,
    /// The first name of every path.
    words: BTreeSet<String>,
}

/// One name that is imported.
#[derive(Debug)]
struct Use {
    path: Path,
    /// Under which name; none for `as _` and `*`.
    bound: Option<String>,
    /// Whether others can import it from here.
    passed_on: bool,
}

impl Named {
    /// What a file names.
    pub(crate) fn of(file: &File) -> Self {
        let mut named = Self {
            module: file.module_path().into_iter().map(str::to_owned).collect(),
            ..Self::default()
        };
        let tree = syn::parse_file(&file.text);
        let tree = tree.unwrap_or_else(|error| panic!("{}: {error}", file.path));
        named.visit_file(&tree);
        named
    }

    /// The names right below the crate that it names.
    pub(crate) fn top_names(&self) -> BTreeSet<&str> {
        let uses = self.uses.iter().map(|one| &one.path);
        uses.chain(&self.paths)
            .filter_map(|path| path.first().map(String::as_str))
            .collect()
    }

    /// A path from the root on, if it leads into this crate.
    fn absolute(&self, path: &[String]) -> Option<Path> {
        let here = || [self.module.as_slice(), self.inside.as_slice()].concat();
        let (first, mut rest) = path.split_first()?;
        let mut root = match first.as_str() {
            "crate" => Vec::new(),
            "self" => here(),
            "super" => {
                let mut above = here();
                above.pop();
                above
            }
            name if self.inside.is_empty() && self.children.contains(name) => {
                return Some([self.module.as_slice(), path].concat());
            }
            _ => return None,
        };
        while let Some(("super", behind)) = rest.split_first().map(|(a, b)| (a.as_str(), b)) {
            root.pop();
            rest = behind;
        }
        root.extend_from_slice(rest);
        Some(root)
    }

    fn note(&mut self, path: &[String]) {
        self.words.extend(path.first().cloned());
        self.paths.extend(self.absolute(path));
    }

    fn import(&mut self, tree: &UseTree, before: &mut Path, passed_on: bool) {
        let (name, bound) = match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before, passed_on);
                before.pop();
                return;
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, passed_on);
                }
                return;
            }
            UseTree::Name(name) if name.ident == "self" => (None, before.last().cloned()),
            UseTree::Name(name) => (Some(name.ident.to_string()), Some(name.ident.to_string())),
            UseTree::Rename(rename) => {
                let bound = rename.rename.to_string();
                (
                    Some(rename.ident.to_string()),
                    Some(bound).filter(|name| name != "_"),
                )
            }
            UseTree::Glob(_) => (None, None),
        };
        let mut path = before.clone();
        path.extend(name);
        if let Some(path) = self.absolute(&path) {
            self.uses.push(Use {
                path,
                bound,
                passed_on,
            });
        }
    }

    /// The modules that the list of agents declares: `folder::Agent,` is one, perhaps with a `cfg`
    /// before it.
    fn list(&mut self, tokens: TokenStream) {
        let mut is_test = false;
        let mut is_start = true;
        for token in tokens {
            match token {
                TokenTree::Group(attribute) => {
                    is_test |= attribute.stream().to_string().contains("test");
                }
                TokenTree::Ident(name) if is_start => {
                    if is_test {
                        self.tests.insert(name.to_string());
                    }
                    self.children.insert(name.to_string());
                    (is_start, is_test) = (false, false);
                }
                TokenTree::Punct(sign) => is_start |= sign.as_char() == ',',
                _ => {}
            }
        }
    }

    /// The paths in what a macro is given, which has no other form than that of tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Path::new();
        let mut colons = 0;
        let mut after_dollar = false;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 && !path.is_empty() {
                        self.note(&path);
                        path.clear();
                    }
                    // `$crate` leads to what a macro's caller sees of this crate, not to a module.
                    if !after_dollar {
                        path.push(name.to_string());
                    }
                    (colons, after_dollar) = (0, false);
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' => colons += 1,
                other => {
                    // Who sees an item: `pub(super)` names a module and uses nothing of it.
                    let is_visibility = path.as_slice() == ["pub"];
                    self.note(&std::mem::take(&mut path));
                    colons = 0;
                    after_dollar =
                        matches!(&other, TokenTree::Punct(sign) if sign.as_char() == '$');
                    if let TokenTree::Group(group) = other
                        && !is_visibility
                    {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.note(&path);
    }
}

impl Visit<'_> for Named {
    fn visit_file(&mut self, file: &syn::File) {
        // The modules first: a path may name one that is declared behind it.
        for item in &file.items {
            if let Item::Macro(call) = item
                && call.mac.path.is_ident(LIST)
            {
                self.list(call.mac.tokens.clone());
            }
            if let Item::Mod(module) = item
                && module.content.is_none()
            {
                let name = module.ident.to_string();
                if is_for_tests(&module.attrs) {
                    self.tests.insert(name.clone());
                }
                self.children.insert(name);
            }
        }
        visit::visit_file(self, file);
    }

    fn visit_item(&mut self, item: &Item) {
        let attributes: &[Attribute] = match item {
            Item::Const(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Macro(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Static(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Trait(item) => &item.attrs,
            Item::Type(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &syn::ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, module: &syn::ItemMod) {
        if module.content.is_some() {
            self.inside.push(module.ident.to_string());
            visit::visit_item_mod(self, module);
            self.inside.pop();
        }
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        let passed_on = !matches!(item.vis, Visibility::Inherited);
        self.import(&item.tree, &mut Path::new(), passed_on);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names: Path = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        self.note(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    // Who may see an item is no use of a module, and neither is a derive.
    fn visit_vis_restricted(&mut self, _: &syn::VisRestricted) {}

    fn visit_attribute(&mut self, _: &Attribute) {}
}

/// Whether `cfg` leaves it out of the library.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    fn names_test(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(name) => name == "test",
            TokenTree::Group(group) => names_test(group.stream()),
            _ => false,
        })
    }
    attributes.iter().any(|attribute| {
        let tokens = attribute
            .meta
            .require_list()
            .map(|list| list.tokens.clone());
        attribute.path().is_ident("cfg") && tokens.is_ok_and(names_test)
    })
}

/// The files of a package by their modules, and what they name.
type Read = BTreeMap<Path, (String, Named)>;

/// The packages: each that has a root file, with its files.
fn packages(files: &[File]) -> Vec<Read> {
    let roots = files.iter().filter_map(|file| {
        let root = ["src/lib.rs", "src/main.rs"];
        root.iter().find_map(|root| file.path.strip_suffix(root))
    });
    let folders: BTreeSet<&str> = roots.collect();
    folders
        .into_iter()
        .map(|folder| read(files, folder))
        .collect()
}

fn read(files: &[File], folder: &str) -> Read {
    let of_package = files.iter().filter_map(|file| {
        let within = file.path.strip_prefix(folder)?;
        if !within.starts_with("src/") {
            return None;
        }
        let named = Named::of(&File::new(within, &file.text));
        Some((named.module.clone(), (file.path.clone(), named)))
    });
    of_package.collect()
}

fn is_for_tests_alone(read: &Read, module: &Path) -> bool {
    (1..=module.len()).any(|length| {
        let (parent, name) = (&module[..length - 1], &module[length - 1]);
        read.get(parent)
            .is_some_and(|(_, above)| above.tests.contains(name))
    })
}

/// The files that are compiled for tests alone.
pub(crate) fn for_tests(files: &[File]) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for read in packages(files) {
        let modules = read.iter();
        let of_tests = modules.filter(|(module, _)| is_for_tests_alone(&read, module));
        tests.extend(of_tests.map(|(_, (path, _))| path.clone()));
    }
    tests
}

/// Which files name which in any package, each with those that it names; those of a folder of `as_one`
/// count as one.
pub(crate) fn arrows(files: &[File], as_one: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let packages = packages(files);
    packages
        .iter()
        .flat_map(|read| arrows_in(read, as_one))
        .collect()
}

fn arrows_in(read: &Read, as_one: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let place = |path: &str| match as_one.iter().find(|folder| path.starts_with(**folder)) {
        Some(folder) => (*folder).to_owned(),
        None => path.to_owned(),
    };
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, (path, named)) in read {
        if is_for_tests_alone(read, module) {
            continue;
        }
        let is_used = |one: &&Use| {
            let bound = one.bound.as_ref();
            !one.passed_on || bound.is_none_or(|name| named.words.contains(name))
        };
        let uses = named.uses.iter().filter(is_used).map(|one| &one.path);
        for wanted in uses.chain(&named.paths) {
            let defined = defined_in(read, wanted, 0);
            let (other, _) = &read[&defined];
            let (from, to) = (place(path), place(other));
            if from != to {
                arrows.entry(from).or_default().insert(to);
            }
        }
    }
    arrows
}

/// The module in which what a path names is defined.
fn defined_in(read: &Read, path: &[String], depth: u32) -> Path {
    assert!(depth < 32, "{path:?} leads round and round");
    let mut module = Path::new();
    for (at, name) in path.iter().enumerate() {
        let Some((_, named)) = read.get(&module) else {
            break;
        };
        if named.children.contains(name) {
            module.push(name.clone());
            continue;
        }
        let mut uses = named.uses.iter();
        // An import of the name that is the item's own path leads nowhere else.
        let passed = uses.find(|one| one.bound.as_ref() == Some(name) && one.path != path[..=at]);
        if let Some(one) = passed {
            let further = [one.path.as_slice(), &path[at + 1..]].concat();
            return defined_in(read, &further, depth + 1);
        }
        break;
    }
    while !read.contains_key(&module) && !module.is_empty() {
        module.pop();
    }
    module
}
