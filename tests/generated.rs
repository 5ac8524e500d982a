//! Checks that the generated files are up to date. `make header` writes them.

use std::fmt::Write;
use std::path::Path;

/// The files of `src/ffi/` whose functions the header declares, and the titles of their sections, in the order of use.
const SECTIONS: [(&str, &str); 13] = [
    ("version", "Version and secrets"),
    ("status", "Statuses and load results"),
    ("options", "Options"),
    ("factory", "Factory"),
    ("session", "Session: opening, times, life"),
    ("read", "Session: reading the dictionary"),
    ("write", "Session: writing the dictionary"),
    ("flash", "Session: flash messages"),
    ("csrf", "Session: CSRF tokens"),
    ("commit", "Session: commit, and the response's headers"),
    ("subject", "All sessions of one user"),
    ("tables", "Callbacks of a store and a serializer of the application's own"),
    ("custom", "Custom stores and serializers"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a committed file with its expected text, or writes it if KHUFU_UPDATE is set.
fn check(file: &str, expected: &str) {
    let path = root().join(file);
    if std::env::var_os("KHUFU_UPDATE").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == expected, "{file} is out of date: run `make header` and commit the file");
}

#[test]
fn the_header_is_up_to_date() {
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let [major, minor, patch] = ["MAJOR", "MINOR", "PATCH"];
    let macros = format!(
        "\n/** The length of a text that ends at its NUL. */\n#define KHUFU_NTS SIZE_MAX\n\n\
         /** Marks a function whose status must not be ignored, because data could be lost or a check skipped. */\n\
         #if defined(__cplusplus) && __cplusplus >= 201703L\n#define KHUFU_MUST_USE [[nodiscard]]\n\
         #elif defined(__GNUC__)\n#define KHUFU_MUST_USE __attribute__((warn_unused_result))\n\
         #else\n#define KHUFU_MUST_USE\n#endif\n\n\
         /** The version of this header. khufu_version returns the library's version. */\n#define KHUFU_VERSION \"{version}\"\n\
         /** The major version. */\n#define KHUFU_VERSION_{major} {}\n\
         /** The minor version. */\n#define KHUFU_VERSION_{minor} {}\n\
         /** The patch level of the version. */\n#define KHUFU_VERSION_{patch} {}",
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    );
    config.after_includes = Some(macros);
    let mut builder = cbindgen::Builder::new().with_config(config);
    for (file, _) in SECTIONS {
        builder = builder.with_src(root().join(format!("src/ffi/{file}.rs")));
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    check("include/khufu.h", &with_sections(&String::from_utf8(header).unwrap()));
}

/// Puts a title before the first function of each section.
fn with_sections(header: &str) -> String {
    let mut header = header.to_owned();
    for (file, title) in SECTIONS {
        let source = std::fs::read_to_string(root().join(format!("src/ffi/{file}.rs"))).unwrap();
        let function = source.split_once("extern \"C\" fn khufu_").unwrap().1;
        let name = format!("khufu_{}(", function.split_once('(').unwrap().0);
        let is_declared = |place: &usize| !header[..*place].rsplit('\n').next().unwrap().starts_with(" *");
        let mut places = header.match_indices(&name).map(|(place, _)| place);
        let place = places.find(is_declared).unwrap_or_else(|| panic!("the header has no {name}"));
        let comment = header[..place].rfind("/**").unwrap();
        header.insert_str(comment, &format!("/* ==== {title} ==== */\n\n"));
    }
    header
}

#[test]
fn the_options_page_is_up_to_date() {
    let mut page = String::from(
        "<!-- Generated from src/options/table.rs by `make header`; do not edit. -->\n\
         # Options\n\n\
         An option has a name and a text value, which are the same in C, Rust, Go, Ruby and an INI file. An empty value \
         unsets an option. Options marked ◆ can also be set for an accepted format, as `accept.NAME.OPTION`.\n\n\
         | option | value | default | |\n|---|---|---|---|\n",
    );
    for row in khufu::options::TABLE {
        let mark = if row.of_format { " ◆" } else { "" };
        let default = row.default.map_or_else(|| "unset".to_owned(), |default| format!("`{default}`"));
        writeln!(page, "| `{}`{mark} | {} | {default} | {} |", row.name, row.kind, row.help).unwrap();
    }
    check("docs/options.md", &page);
}
