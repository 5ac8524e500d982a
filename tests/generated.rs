//! Checks that the generated files are up to date. `make header` writes them.

use std::fmt::Write;
use std::path::Path;

const FFI: [&str; 10] =
    ["version", "status", "options", "custom", "factory", "session", "read", "write", "flash", "subject"];

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
        "\n/** As a length: the text ends at its NUL. */\n#define KHUFU_NTS SIZE_MAX\n\n\
         /** The version of this header. khufu_version returns the library's version. */\n#define KHUFU_VERSION \"{version}\"\n\
         #define KHUFU_VERSION_{major} {}\n#define KHUFU_VERSION_{minor} {}\n#define KHUFU_VERSION_{patch} {}",
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    );
    config.after_includes = Some(macros);
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in FFI {
        builder = builder.with_src(root().join(format!("src/ffi/{file}.rs")));
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    check("include/khufu.h", &String::from_utf8(header).unwrap());
}

#[test]
fn the_options_page_is_up_to_date() {
    let mut page = String::from(
        "<!-- Generated from src/options.rs by `make header`; do not edit. -->\n\
         # Options\n\n\
         An option has a name and a text value, which are the same in C, Rust, Go, Ruby and an INI file. An empty value \
         unsets an option. Options marked ◆ can also be set for an accepted format, as `accept.NAME.OPTION`.\n\n\
         | option | value | default | |\n|---|---|---|---|\n",
    );
    for row in khufu::TABLE {
        let mark = if row.of_format { " ◆" } else { "" };
        let default = row.default.map_or_else(|| "unset".to_owned(), |default| format!("`{default}`"));
        writeln!(page, "| `{}`{mark} | {} | {default} | {} |", row.name, row.kind, row.help).unwrap();
    }
    check("docs/options.md", &page);
}
